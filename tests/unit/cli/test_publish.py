"""`hatchet publish`: what it reads, waits for and tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

import pytest
from temporalio.service import RPCError, RPCStatusCode

from hatchet_cli import logs, runs, servers
from hatchet_cli.commands.publish import publish
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
