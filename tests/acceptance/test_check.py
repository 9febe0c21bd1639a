"""`hatchet check`: forms of output, exit codes, actions, stdin, and the pre-commit hook."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
from typing import Any

import pytest
import yaml
from tests.acceptance.conftest import HATCHET, ROOT, Project, workflow

INTEGRATIONS = """
from pydantic import BaseModel
from hatchet_worker import Integration, Worker, action

class Message(BaseModel):
    message: str

class Echo(Integration):
    id = "echo"

    @action("say")
    def say(self, data: Message) -> dict:
        return {}

worker = Worker([Echo()])
"""
RIGHT = workflow("A", "a:b", "default", message="hi")
WRONG = RIGHT.replace("timeout: 10s", "timeout: soon")
SUSPICIOUS = RIGHT.replace("on: a:b", "on: [a:b, a..b]")


@pytest.fixture
def suspicious(offline_project: Project) -> Project:
    """A project whose one file has one warning and no error."""
    offline_project.write(".hatchet/a.yaml", SUSPICIOUS)
    return offline_project


@pytest.fixture
def wrong(offline_project: Project) -> Project:
    """A project with a file that has one error, and one that has one warning."""
    offline_project.write(".hatchet/a.yaml", SUSPICIOUS)
    offline_project.write(".hatchet/b.yaml", WRONG.replace("name: A", "name: B"))
    return offline_project


def test_warnings_are_shown_and_do_not_fail(suspicious: Project) -> None:
    result = suspicious.hatchet("check")

    assert result.code == 0
    first, *_ = result.stdout.splitlines()
    assert re.fullmatch(r"\.hatchet/a\.yaml:2:\d+: warning: 'a\.\.b' .*\[empty-word\]", first)
    assert result.stderr == "1 workflow, 1 warning\n"


def test_mere_warnings_keep_no_router_from_starting(suspicious: Project) -> None:
    result = suspicious.hatchet("router")

    # It goes on to the servers, which are away here.
    assert result.code == 3
    assert "[empty-word]" in result.stderr


def test_warnings_fail_where_one_is_strict(suspicious: Project) -> None:
    assert suspicious.hatchet("check", "--strict").code == 1


def test_errors_and_warnings_are_counted(wrong: Project) -> None:
    result = wrong.hatchet("check")

    assert (result.code, result.stderr) == (1, "1 error, 1 warning\n")


def test_only_the_given_paths_are_checked(wrong: Project) -> None:
    assert wrong.hatchet("check", ".hatchet/a.yaml").code == 0
    assert wrong.hatchet("check", ".hatchet/a.yaml", ".hatchet/b.yaml").code == 1
    assert wrong.hatchet("check", HATCHET_WORKFLOWS=".hatchet/a.yaml").code == 0


def test_json_tells_the_severity(wrong: Project) -> None:
    found = json.loads(wrong.hatchet("check", "-o", "json").stdout)

    assert [(item["path"], item["severity"], item["rule"]) for item in found] == [
        (".hatchet/a.yaml", "warning", "empty-word"),
        (".hatchet/b.yaml", "error", "invalid-duration"),
    ]


def test_sarif_tells_the_same(wrong: Project) -> None:
    result = wrong.hatchet("check", "-o", "sarif")

    [run] = json.loads(result.stdout)["runs"]
    assert result.code == 1
    assert [(item["ruleId"], item["level"]) for item in run["results"]] == [
        ("empty-word", "warning"),
        ("invalid-duration", "error"),
    ]


def test_github_is_told_by_workflow_commands(wrong: Project) -> None:
    warning, error = wrong.hatchet("check", "-o", "github").stdout.splitlines()

    assert warning.startswith("::warning file=.hatchet/a.yaml,line=2,col=")
    assert error.startswith(
        "::error file=.hatchet/b.yaml,line=11,col=18,title=hatchet invalid-duration::'soon' is not"
    )


def test_each_form_of_output_is_complete_without_problems(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", RIGHT)

    outputs = {form: offline_project.hatchet("check", "-o", form) for form in ("json", "github")}
    [run] = json.loads(offline_project.hatchet("check", "-o", "sarif").stdout)["runs"]

    assert {form: result.stdout for form, result in outputs.items()} == {
        "json": "[]\n",
        "github": "",
    }
    assert run["results"] == []


def test_a_file_may_come_from_stdin_under_a_name(offline_project: Project) -> None:
    named = offline_project.hatchet(
        "check", "-", "--stdin-filename", ".hatchet/new.yaml", stdin=WRONG
    )
    unnamed = offline_project.hatchet("check", "-", stdin=RIGHT)

    assert named.code == 1
    assert named.stdout.startswith(".hatchet/new.yaml:11:18: ")
    assert (unnamed.code, unnamed.stdout) == (0, "")


def test_steps_are_checked_against_the_actions_of_a_worker(offline_project: Project) -> None:
    offline_project.write("integrations.py", INTEGRATIONS)
    offline_project.write(".hatchet/a.yaml", RIGHT)
    offline_project.write(
        ".hatchet/b.yaml",
        workflow("B", "a:b", "default", massage="hi").replace("echo:say", "echo:shout"),
    )

    alone = offline_project.hatchet("check")
    by_app = offline_project.hatchet("check", "--app", "integrations:worker", "-o", "json")
    exported = offline_project.hatchet(
        "actions", "export", "integrations:worker", "--output-file", "actions.json"
    )
    by_file = offline_project.hatchet("check", "--actions", "actions.json", "-o", "json")

    assert alone.code == exported.code == 0, exported.stderr
    assert by_app.code == by_file.code == 1, by_app.stderr
    assert by_app.stdout == by_file.stdout
    assert [(item["path"], item["rule"]) for item in json.loads(by_app.stdout)] == [
        (".hatchet/b.yaml", "unknown-action")
    ]


def test_variables_of_the_settings_are_known(offline_project: Project) -> None:
    offline_project.write(
        ".hatchet/a.yaml", workflow("A", "a:b", "default", message="{{ .vars.region }}")
    )

    without = offline_project.hatchet("check", "--strict")
    given = offline_project.hatchet("check", "--strict", HATCHET_VARS='{"region": "eu"}')

    assert (without.code, given.code) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--app", "integrations:worker", "--actions", "a.json"),
            "either --app and --use, or --actions",
        ),
        (("--app", "missing:worker"), "no module 'missing'"),
        (("--actions", "missing.json"), "cannot read 'missing.json'"),
        (("--actions", "broken.json"), "no catalogue"),
        (("-", ".hatchet"), "stdin is one file"),
        (("-o", "xml"), "xml"),
        (("--color", "sometimes"), "sometimes"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    offline_project: Project, arguments: tuple[str, ...], said: str
) -> None:
    offline_project.write(".hatchet/a.yaml", RIGHT)
    offline_project.write("broken.json", '{"actions": 5}')

    result = offline_project.hatchet("check", *arguments, stdin="")

    assert result.code == 2, result.stderr
    assert said in result.stderr


def on_a_terminal(project: Project, *arguments: str, **variables: str) -> str:
    """Run `hatchet check` with a terminal as its stdout; return what it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [HATCHET, "check", *arguments],
        cwd=project.folder,
        env={**project.environment, "TERM": "xterm", **variables},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # Linux says so when the other side has closed
        process.wait(60)
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
        ((), {"TERM": "dumb"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_a_terminal_shows_colours_unless_one_objects(
    suspicious: Project, arguments: tuple[str, ...], variables: dict[str, str], *, colored: bool
) -> None:
    suspicious.environment = {
        name: value for name, value in suspicious.environment.items() if name != "NO_COLOR"
    }

    shown = on_a_terminal(suspicious, *arguments, **variables)

    assert "empty-word" in shown
    assert ("\x1b[" in shown) == colored


def test_a_pipe_shows_colours_only_where_one_asks_for_them(suspicious: Project) -> None:
    assert "\x1b[" not in suspicious.hatchet("check").stdout
    assert "\x1b[" in suspicious.hatchet("check", "--color", "always").stdout


def hook() -> dict[str, Any]:
    [definition] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(definition)


def test_the_pre_commit_hook_has_what_pre_commit_needs() -> None:
    assert hook() | {"description": ""} == {
        "id": "hatchet-check",
        "name": "hatchet check",
        "description": "",
        "entry": "hatchet check",
        "language": "python",
        "files": r"^\.hatchet/.*\.ya?ml$",
        "pass_filenames": False,
    }


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        (".hatchet/a.yaml", True),
        (".hatchet/deep/a.yml", True),
        (".hatchet/readme.md", False),
        ("x.hatchet/a.yaml", False),
        ("src/a.yaml", False),
    ],
)
def test_the_pre_commit_hook_runs_for_workflow_files(path: str, *, chosen: bool) -> None:
    assert (re.search(hook()["files"], path) is not None) == chosen


def test_the_pre_commit_hook_finds_two_files_of_one_name(offline_project: Project) -> None:
    program, *arguments = shlex.split(hook()["entry"])
    assert program == HATCHET.name
    offline_project.write(".hatchet/a.yaml", RIGHT)
    assert offline_project.hatchet(*arguments).code == 0

    offline_project.write(".hatchet/b.yaml", RIGHT)

    result = offline_project.hatchet(*arguments)
    assert result.code == 1
    assert "[duplicate-workflow]" in result.stdout
