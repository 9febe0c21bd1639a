"""`hatchet publish`: what it reads, waits for and tells."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, Self

import pytest
import typer
from temporalio.service import RPCError, RPCStatusCode

from hatchet_cli import logs, runs, servers
from hatchet_cli.commands.publish import parse_data, publish
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.runs import JobRun
from hatchet_router import dispatcher


class TakesAll:
    """A Dispatcher whose broker takes every event."""

    @classmethod
    def of(cls, _settings: object, **_options: object) -> Self:
        """Return one, whatever the settings."""
        return cls()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End."""

    async def trigger(self, _key: str, _data: object, **_options: object) -> str:
        """Return the id of an event that is stored."""
        return "event-1"


@pytest.fixture(autouse=True)
def _servers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connected() -> object:
        """Return no client: `jobs_of_event` is a fake, too."""
        return object()

    monkeypatch.setattr(logs, "configure_logs", lambda: None)
    monkeypatch.setattr(servers, "connect_to_temporal", connected)
    monkeypatch.setattr(dispatcher, "Dispatcher", TakesAll)


def jobs(monkeypatch: pytest.MonkeyPatch, *ended: JobRun | Exception) -> None:
    """Let the event's jobs end so."""

    async def jobs_of_event(*_arguments: Any, **_options: Any) -> AsyncIterator[JobRun]:
        for each in ended:
            if isinstance(each, Exception):
                raise each
            yield each

    monkeypatch.setattr(runs, "jobs_of_event", jobs_of_event)


def test_a_temporal_that_goes_away_while_it_is_waited_for_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told in one line, with exit code 3, as where it is away from the start."""
    jobs(monkeypatch, RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b""))

    with pytest.raises(CommandError, match="connection refused") as caught:
        publish("a.b", wait=True)

    assert caught.value.code is ExitCode.UNREACHABLE


def test_what_an_action_says_does_not_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its message may come from an event, or from a service."""
    jobs(monkeypatch, JobRun("W", "j", "W/j/1", "FAILED", 1.0, "\x1b]0;t\x07no\nway\u202e"))

    with pytest.raises(typer.Exit) as ended:
        publish("a.b", wait=True)

    assert ended.value.exit_code == ExitCode.FINDINGS
    assert capsys.readouterr().err == ("W/j failed in 1 s: \\x1b]0;t\\x07no\\nway\\u202e\n")


DEEP = "[" * 100_000 + "]" * 100_000
REFUSED = [
    (b"", "is not JSON: it is empty"),
    (b'{"a": ', "is not JSON: "),
    (b"[]", "is JSON, but not an object"),
    (f'{{"a": {DEEP}}}'.encode(), "is not JSON: nested more than 64 deep"),
    (rb'{"a": "\ud800"}', r"is not JSON: a \\u escape is half of a surrogate pair"),
    (b'{"a": "\xff"}', "is not UTF-8"),
    (b'{"a": NaN}', "is not JSON: NaN is not JSON"),
    (b'{"a": 1, "a": 2}', "is not JSON: field 'a' stands twice"),
]


def place(data: bytes, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the data somewhere, and return what names it."""
    if where == "stdin":
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data), encoding="latin-1"))
        return "-"
    if where == "a file":
        (tmp_path / "data.json").write_bytes(data)
        return f"@{tmp_path / 'data.json'}"
    return os.fsdecode(data)


@pytest.mark.parametrize("where", ["an argument", "a file", "stdin"])
@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_data_that_no_router_would_take_are_refused_in_one_line(
    where: str, data: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read as the router reads them, wherever they come from."""
    with pytest.raises(CommandError, match=message) as caught:
        parse_data(place(data, where, tmp_path, monkeypatch))

    assert caught.value.code is ExitCode.USAGE


@pytest.mark.parametrize("where", ["an argument", "a file", "stdin"])
def test_data_are_utf_8_and_may_begin_with_its_mark(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the files of workflows and settings may."""
    data = '\ufeff{"name": "Zo\u00eb"}'.encode()

    assert parse_data(place(data, where, tmp_path, monkeypatch)) == {"name": "Zo\u00eb"}


def test_a_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to read from then."""
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(CommandError, match="standard input is closed"):
        parse_data("-")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(CommandError, match=r"none\.json: No such file"):
        parse_data(f"@{tmp_path / 'none.json'}")
