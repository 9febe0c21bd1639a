"""What to do about each answer of Temporal."""

from __future__ import annotations

import datetime as dt
from unittest.mock import create_autospec

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.errors import JobRefused
from hatchet_router.planning import plan
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
    step = {"name": "s", "id": "s", "actionId": "a:b", "timeout": "1s"}
    workflow = Workflow.model_validate({"name": "w", "on": "k", "jobs": {"j": {"steps": [step]}}})
    event = Event(id="e", key="k", time=dt.datetime.now(dt.UTC), data={})

    with capture_logs() as logs, pytest.raises(JobRefused, match="too large"):
        await TemporalStarter(client).start(plan(event, [workflow])[0])

    assert [record["event"] for record in logs] == ["temporal.unavailable", "temporal.available"]
