"""What the files for deployment start is what the command line knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_group

from hatchet_cli.main import app

ROOT = Path(__file__).parents[3]


def started() -> Iterator[tuple[str, list[str]]]:
    """Yield each file, and the arguments with which it starts `hatchet`."""
    for path in sorted((ROOT / "deploy" / "kubernetes").rglob("*.yaml")):
        for manifest in yaml.safe_load_all(path.read_text()):
            if manifest.get("kind") == "Deployment":
                [container] = manifest["spec"]["template"]["spec"]["containers"]
                yield path.name, container["args"]
    for path in sorted((ROOT / "deploy" / "systemd").glob("*.service")):
        [words] = re.findall(r"^ExecStart=\S+/hatchet (.+)$", path.read_text(), re.MULTILINE)
        yield path.name, words.split()
    for name, service in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].items():
        if "hatchet-workflows" in service["image"]:
            yield f"compose.yaml {name}", service["command"]


@pytest.mark.parametrize("arguments", [pytest.param(words, id=file) for file, words in started()])
def test_what_is_started_is_a_command_with_its_options(arguments: list[str]) -> None:
    """A release may rename one, and nothing would start."""
    context = get_group(app).commands[arguments[0]].make_context("hatchet", arguments[1:])

    assert context.params


def test_router_worker_and_webhooks_are_started_everywhere() -> None:
    found = sorted(words[0] for _, words in started())

    assert found == sorted(["router", "webhooks", "worker"] * 3)
