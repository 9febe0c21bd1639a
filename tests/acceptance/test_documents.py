"""What the documents show works, and what they list is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import ROOT

from hatchet_cli.exiting import ExitCode
from hatchet_cli.main import app
from hatchet_router.folder import load_folder
from hatchet_router.settings import RouterSettings
from hatchet_schemas import SourceFile, load_definitions

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def blocks(language: str) -> list[object]:
    """Return every block of code in that language, named by its document and number."""
    return [
        pytest.param(code, id=f"{document.relative_to(ROOT)}-{number}")
        for document in DOCUMENTS
        for number, (found, code) in enumerate(_BLOCK.findall(document.read_text()))
        if found == language
    ]


@pytest.mark.parametrize("code", blocks("yaml"))
def test_each_workflow_in_the_documents_has_no_problems(code: str) -> None:
    _, problems = load_definitions([SourceFile("document.yaml", code.encode())])

    assert [str(problem) for problem in problems] == []


@pytest.mark.parametrize("code", blocks("python"))
def test_each_piece_of_python_in_the_documents_runs(code: str) -> None:
    exec(compile(code, "document.py", "exec"), {"__name__": "document"})  # noqa: S102


def test_the_readme_has_the_two_commands_that_the_tests_run() -> None:
    [block] = [code for found, code in _BLOCK.findall(DOCUMENTS[0].read_text()) if found == "sh"]

    # The first is run, with --once, by test_dev.py; the second is what CI runs.
    assert block.splitlines() == ["./task demo", "./task test"]
    assert "./task test" in (ROOT / ".ci" / "run").read_text()


def test_the_worker_of_the_readme_runs_all_jobs_of_its_workflow() -> None:
    """A job on a queue that nobody runs would wait, without an error anywhere."""
    found = _BLOCK.findall(DOCUMENTS[0].read_text())
    [workflow] = [code for language, code in found if language == "yaml"]
    code = next(code for language, code in found if language == "python" and "Worker(" in code)
    ((definition,), _) = load_definitions([SourceFile("readme.yaml", workflow.encode())])
    names: dict[str, Any] = {"__name__": "integrations"}
    exec(compile(code, "integrations.py", "exec"), names)  # noqa: S102

    wanted = {job.queue for job in definition.workflow.jobs.values()}

    assert wanted == set(names["worker"].queues)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_to_a_file_leads_somewhere(document: Path) -> None:
    broken = [
        link
        for link in _LINK.findall(document.read_text())
        if not (document.parent / link).exists()
    ]

    assert broken == []


def test_every_command_and_every_exit_code_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    commands = [command.name for command in app.registered_commands]

    assert [name for name in commands if f"| `hatchet {name}" not in text] == []
    assert [code for code in ExitCode if f"| {code.value} |" not in text] == []


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    missing = [
        name for name in RouterSettings.model_fields if f"`HATCHET_{name.upper()}`" not in text
    ]

    assert missing == []


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*/")), ids=lambda p: p.name)
def test_each_example_passes_its_check(example: Path) -> None:
    definitions, problems = load_folder(example / ".hatchet")

    assert definitions
    assert problems == ()
