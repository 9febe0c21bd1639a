"""The process of a command: its streams, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = """\
name: Gruß
on: user:create
jobs: {j: {queue: q, steps: [{id: s, actionId: "a:b", timeout: 1s}]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a working directory with a workflow."""
    (tmp_path / ".hatchet").mkdir()
    (tmp_path / ".hatchet" / "w.yaml").write_text(WORKFLOW, encoding="utf-8")
    return tmp_path


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which ``hatchet`` is the command, to its end."""
    return subprocess.run(
        ["bash", "-c", f'hatchet() {{ "{sys.executable}" -m hatchet_cli "$@"; }}; {command}'],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )


def test_what_a_stream_cannot_show_is_escaped(folder: Path) -> None:
    """Not every terminal has UTF-8, and no name of a file has to be Unicode."""
    (folder / os.fsdecode(b"\xff.yaml")).write_text("name: 5\n")

    western = shell("hatchet graph", folder, PYTHONIOENCODING="latin-1")
    half = shell("hatchet check $'\\xff.yaml'", folder)
    sarif = shell("hatchet check -o sarif $'\\xff.yaml'", folder)

    assert (western.returncode, western.stderr) == (0, "")
    assert "\\u2514\\u2500 Gr" in western.stdout
    assert half.returncode == sarif.returncode == 1
    assert "Traceback" not in half.stderr + sarif.stderr
    assert "\\udcff.yaml" in half.stdout
    assert '"uri": "%FF.yaml"' in sarif.stdout


@pytest.mark.parametrize("command", ["graph", "--version"])
def test_a_reader_that_has_gone_away_is_no_failure(command: str, folder: Path) -> None:
    """As in `hatchet graph | head -1`."""
    ended = shell(f"hatchet {command} | true; exit ${{PIPESTATUS[0]}}", folder)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [("graph >&-", 0), ("graph >&- 2>&-", 0), ("publish 'a b' 2>&-", 2), ("check no >&-", 1)],
)
def test_a_stream_that_is_closed_changes_nothing(command: str, code: int, folder: Path) -> None:
    """As supervisors leave them."""
    ended = shell(f"hatchet {command}", folder)

    assert ended.returncode == code
    assert "Traceback" not in ended.stderr


def test_what_a_message_quotes_does_not_steer_the_terminal(folder: Path) -> None:
    """Messages of errors tell what came from files, servers and actions."""
    ended = shell("hatchet publish a.b -d $'@\\x1b[31m\\x07'", folder)

    assert ended.stderr == "hatchet: \\x1b[31m\\x07: No such file or directory\n"


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_there_is_not_is_a_wrong_command_line(port: str, folder: Path) -> None:
    """It is told before anything is opened."""
    ended = shell(f"hatchet codec-server --port {port}", folder)

    assert ended.returncode == 2
    assert "Invalid value for '--port'" in ended.stderr


def test_the_codec_server_warns_of_variables_that_set_nothing(folder: Path) -> None:
    """As routers and workers do: a token that is misspelt would be none."""
    ended = shell(
        "hatchet codec-server", folder, HATCHET_CODEC_TOKN="x", HATCHET_ENCRYPTION_KEYS=""
    )

    assert ended.returncode == 2
    assert "HATCHET_CODEC_TOKN (environment) sets nothing; did you mean" in ended.stderr
