"""The image and the composed system, as far as they can be checked without Docker."""

from __future__ import annotations

import importlib.resources
import importlib.util
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.unit.deploy.graces import grace_of

from hatchet_cli.settings.groups import REGISTRY


@pytest.fixture(scope="module")
def instructions(root: Path) -> list[list[str]]:
    """The words of each instruction, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (root / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_the_dockerfile_passes_its_linter(root: Path) -> None:
    program = Path(sys.executable).parent / "hadolint"

    done = subprocess.run(
        [program, root / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_all_that_is_copied_is_there_and_not_ignored(
    root: Path, instructions: list[list[str]]
) -> None:
    sources = [
        source
        for verb, *words in instructions
        if verb == "COPY" and not words[0].startswith("--")
        for source in words[:-1]
    ]

    assert sources
    assert [source for source in sources if not (root / source).exists()] == []
    allowed = [
        line.removeprefix("!")
        for line in (root / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert [
        source
        for source in sources
        if not any(source == rule or Path(source).match(rule) for rule in allowed)
        and not any(Path(rule) in Path(source).parents for rule in allowed)
    ] == []


def test_it_runs_as_a_user_without_rights_and_installs_by_hashes(
    instructions: list[list[str]],
) -> None:
    last = max(number for number, words in enumerate(instructions) if words[0] == "FROM")
    [user] = [words[1] for words in instructions[last:] if words[0] == "USER"]
    installs = [
        part
        for words in instructions
        if words[0] == "RUN"
        for part in " ".join(words).split("&&")
        if "pip install" in part
    ]

    assert int(user.partition(":")[0]) >= 10000
    assert installs
    assert all("--require-hashes" in part or "--build-constraints" in part for part in installs)


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "compose.yaml").read_text())
    return loaded


def test_compose_yaml_is_what_its_schema_says(compose: dict[str, Any]) -> None:
    """The schema of the compose specification, as check-jsonschema ships it."""
    folder = importlib.resources.files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads((folder / "compose-spec.json").read_text())

    jsonschema.validators.validator_for(schema)(schema).validate(compose)


def test_services_wait_for_services_and_keep_volumes_that_there_are(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    waited_for = {name for each in services.values() for name in each.get("depends_on", {})}
    volumes = {
        volume.partition(":")[0]
        for each in services.values()
        for volume in each.get("volumes", [])
        if not volume.startswith(".")
    }

    assert waited_for <= services.keys()
    assert volumes == compose["volumes"].keys()
    for name in ("router", "worker", "webhooks"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]


def test_services_have_the_time_to_finish_what_they_have_in_hand(compose: dict[str, Any]) -> None:
    for name in ("router", "worker", "webhooks"):
        seconds = compose["services"][name]["stop_grace_period"]

        assert int(seconds.removesuffix("s")) >= grace_of(name) + 10


def test_it_is_reached_from_this_machine_alone(compose: dict[str, Any]) -> None:
    ports = [port for each in compose["services"].values() for port in each.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize(
    "file", ["Dockerfile", "compose.yaml", "deploy/kubernetes", "deploy/systemd"]
)
def test_each_variable_for_our_processes_is_a_setting(root: Path, file: str) -> None:
    path = root / file
    paths = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    names = {
        name for each in paths for name in re.findall(r"\bHATCHET_[A-Z_]+[A-Z]", each.read_text())
    }

    assert names
    assert {name for name in names if REGISTRY.find(name) is None} == set()


@pytest.fixture
def operators_port() -> Iterator[Callable[[int], str]]:
    """Serves ``/livez`` with a status; returns the address of the port."""
    servers: list[HTTPServer] = []

    def serve(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/livez" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f":{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_health_check_asks_whether_the_process_lives(
    root: Path, operators_port: Callable[[int], str]
) -> None:
    path = root / "deploy" / "docker" / "healthcheck.py"
    spec = importlib.util.spec_from_file_location("healthcheck", path)
    assert spec is not None
    assert spec.loader is not None
    healthcheck = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(healthcheck)

    assert healthcheck.is_alive(operators_port(200))
    assert healthcheck.is_alive("")
    assert not healthcheck.is_alive(operators_port(503))
    assert not healthcheck.is_alive("127.0.0.1:1")
    assert not healthcheck.is_alive("nonsense")
