"""What to do about each answer of Temporal."""

from __future__ import annotations

import asyncio
import datetime as dt
from unittest.mock import AsyncMock, Mock, create_autospec

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router import outages
from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest, plan
from hatchet_router.readiness import Readiness
from hatchet_router.temporal import Decision, TemporalStarter, decide
from hatchet_schemas import Event, Workflow

REFUSED = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.UNIMPLEMENTED,
}


OPERATOR = {
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
}


class TellingReadiness(Readiness):
    """Sets ``troubled`` when something is wrong for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.troubled = asyncio.Event()

    def trouble(self, place: str, reason: str) -> None:
        """Keep it, and tell."""
        super().trouble(place, reason)
        self.troubled.set()


def request() -> StartRequest:
    """Return a start of a job."""
    step = {"name": "s", "id": "s", "actionId": "a:b", "timeout": "1s"}
    workflow = Workflow.model_validate({"name": "w", "on": "k", "jobs": {"j": {"steps": [step]}}})
    event = Event(id="e", key="k", time=dt.datetime.now(dt.UTC), data={})
    return plan(event, [workflow])[0]


@pytest.mark.parametrize("status", RPCStatusCode)
def test_only_what_is_wrong_with_the_request_itself_is_refused(status: RPCStatusCode) -> None:
    """Everything else a later attempt or an operator can mend, and the event can wait."""
    expected = Decision.TRY_AGAIN
    if status in REFUSED:
        expected = Decision.REFUSE
    if status in OPERATOR:
        expected = Decision.PAUSE

    assert decide(status) is expected


async def test_a_refusal_ends_an_outage() -> None:
    """It is an answer, though no job is started."""
    client = create_autospec(Client, instance=True)
    client.start_workflow.side_effect = [
        RPCError("away", RPCStatusCode.UNAVAILABLE, b""),
        RPCError("too large", RPCStatusCode.INVALID_ARGUMENT, b""),
    ]

    with capture_logs() as logs, pytest.raises(JobRefused, match="too large"):
        await TemporalStarter(client).start(request())

    assert [record["event"] for record in logs] == ["temporal.unavailable", "temporal.available"]


@pytest.mark.parametrize("waiting", ["start", "available"])
async def test_a_call_that_is_cancelled_leaves_no_trouble_behind(
    waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries are taken away when RabbitMQ is lost, and no call may follow for hours."""
    monkeypatch.setattr(outages, "_NOT_READY_SECONDS", -1)
    client = create_autospec(Client, instance=True)
    away = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
    client.start_workflow.side_effect = away
    client.namespace = "default"
    client.workflow_service = Mock()
    client.workflow_service.start_workflow_execution = AsyncMock(side_effect=away)
    readiness = TellingReadiness()
    starter = TemporalStarter(client, readiness=readiness)
    call = starter.start(request()) if waiting == "start" else starter.available()
    task = asyncio.ensure_future(call)

    async with asyncio.timeout(30):
        await readiness.troubled.wait()
    task.cancel()
    await asyncio.wait([task])

    assert readiness.troubles == {}
