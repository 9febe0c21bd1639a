"""What `hatchet dev` refuses before it starts any server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hatchet_cli.dev import session
from hatchet_cli.dev.session import DevOptions, run_dev
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_router.settings import RouterSettings

WORKFLOW = """\
name: W
on: user.*
jobs: {j: {queue: q, steps: [{id: s, actionId: "a:b", timeout: 1s}]}}
"""


@pytest.mark.parametrize(
    ("key", "code", "message"),
    [
        ("user create", ExitCode.USAGE, "'user create' is not an event key"),
        ("user.*", ExitCode.USAGE, r"'user\.\*' is a pattern; an event has one key"),
        ("order.paid", ExitCode.NOTHING_MATCHED, "no workflow has a trigger for 'order.paid'"),
    ],
)
async def test_an_event_that_cannot_be_published_costs_the_start_of_no_server(
    key: str, code: ExitCode, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key is wrong, or no workflow wants it."""

    def started(*_arguments: object) -> None:
        raise AssertionError("a server is started")

    monkeypatch.setattr(session, "start_backends", started)
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    settings = RouterSettings(workflows=tmp_path)

    with pytest.raises(CommandError, match=message) as caught:
        await run_dev(settings, DevOptions(workers={}, publish=(key, {})), asyncio.Event())

    assert caught.value.code is code
