"""Steps in this process: what happens around them."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from hatchet_worker import Integration, action
from hatchet_worker.in_process import InProcessSteps
from hatchet_worker.registry import Registry


class Stubborn(Integration):
    """One that cannot be closed."""

    id = "stubborn"

    @action("go")
    async def go(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do nothing."""
        return data

    async def close(self) -> None:
        """Fail."""
        raise RuntimeError("the connection is gone already")


class Closed(Stubborn):
    """One that notes that it was closed."""

    id = "closed"
    is_closed = False

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


async def test_an_integration_that_cannot_be_closed_keeps_no_other_from_it() -> None:
    """As in a worker: what a test has found out is not lost for it."""
    closed = Closed()

    with capture_logs() as logs:
        async with InProcessSteps(Registry([Stubborn(), closed]), ()):
            pass

    assert closed.is_closed
    assert [record["event"] for record in logs] == ["integration.not_closed"]
