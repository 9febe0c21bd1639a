"""Many who wait for one result."""

from __future__ import annotations

import pytest

from hatchet_router.waiters import Waiters


async def test_all_are_told_but_those_who_wait_no_more() -> None:
    waiters = Waiters[int]()
    one, two, gone = waiters.one_more(), waiters.one_more(), waiters.one_more()
    gone.cancel()

    waiters.tell(7)

    assert (await one, await two) == (7, 7)


async def test_all_are_told_of_a_failure() -> None:
    waiters = Waiters[int]()
    one, two, gone = waiters.one_more(), waiters.one_more(), waiters.one_more()
    gone.cancel()

    waiters.fail(ConnectionError("closed"))

    for waiting in (one, two):
        with pytest.raises(ConnectionError, match="closed"):
            await waiting


async def test_whether_there_are_any() -> None:
    waiters = Waiters[None]()
    assert not waiters

    waiters.one_more()

    assert waiters
