"""Workers with the integrations of installed packages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.acceptance.conftest import Project
from tests.conftest import Eventually
from tests.packages import greeter, write_package


def with_acme(project: Project, tmp_path: Path) -> Project:
    """Install a package, whose integration needs a secret, for the project's commands."""
    module = greeter("acme").replace('id = "acme"', 'id = "acme"\n    secrets = ("ACME_TOKEN",)')
    site = tmp_path / "site"
    write_package(site, "acme-hatchet", {"acme": "acme:Greeter"}, {"acme": module})
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    project.environment = {**project.environment, "PYTHONPATH": path}
    return project


@pytest.fixture
def acme(offline_project: Project, tmp_path: Path) -> Project:
    """A project without servers."""
    return with_acme(offline_project, tmp_path)


def test_a_missing_secret_is_named_before_any_server_is_asked(acme: Project) -> None:
    result = acme.hatchet("worker")

    assert result.code == 2
    assert (
        "hatchet: integration acme needs secret ACME_TOKEN: set the environment variable "
        "HATCHET_SECRET_ACME_TOKEN"
    ) in result.stderr


def test_an_unknown_id_tells_what_there_is(acme: Project) -> None:
    result = acme.hatchet("worker", HATCHET_INTEGRATIONS="acne")

    assert result.code == 2
    assert "has an integration 'acne': did you mean 'acme'? installed are" in result.stderr


def test_the_files_of_settings_name_integrations_for_each_command(acme: Project) -> None:
    """Also for those that need no other setting."""
    acme.write(".env", "HATCHET_INTEGRATIONS=acne")

    result = acme.hatchet("actions", "list")

    assert result.code == 2
    assert "has an integration 'acne': did you mean 'acme'?" in result.stderr


def test_a_worker_of_an_installed_integration_serves_the_queues_it_is_told(
    project: Project, tmp_path: Path, eventually: Eventually
) -> None:
    with_acme(project, tmp_path)
    project.environment = {**project.environment, "HATCHET_SECRET_ACME_TOKEN": "t0ken"}

    with project.running("worker", "--use", "acme", "--queue", "a", "--queue", "b") as worker:
        eventually(lambda: worker.has_said("worker.started"), 60)
        [started] = [
            record
            for record in map(json.loads, worker.log.read_text().splitlines())
            if record["event"] == "worker.started"
        ]
        code = worker.end()

    assert (started["queues"], started["actions"], code) == (["a", "b"], 1, 0)


def test_what_is_installed_is_listed_and_shown(acme: Project, tmp_path: Path) -> None:
    write_package(
        tmp_path / "site",
        "zinc-hatchet",
        {"zinc": "zinc:It"},
        {"zinc": "import zinc_sdk"},
        extras=["zinc"],
        requires=["zinc-sdk; extra == 'zinc'"],
    )

    listed = acme.hatchet("integrations", "list")
    shown = acme.hatchet("integrations", "show", "acme", "-o", "json")
    unusable = acme.hatchet("integrations", "show", "zinc")

    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert lines["acme"].split() == ["acme", "acme-hatchet", "1.0", "greet", "-", "ACME_TOKEN"]
    assert "pip install 'zinc-hatchet[zinc]'" in lines["zinc"]
    assert "zinc, not installed" in lines["zinc"]
    [greet] = json.loads(shown.stdout)["actions"]
    assert (greet["id"], greet["description"]) == ("acme:greet", "Say hello.")
    assert (listed.code, shown.code, unusable.code) == (0, 0, 2)
