"""What is done with one message, without a broker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from hatchet_router.deliveries import Delivery, Outcome, Rejection, Routed, Unmatched
from hatchet_router.errors import TemporalUnavailable
from hatchet_router.session import Session as RouterSession
from hatchet_router.settling import Handler, Settler
from hatchet_router.status import RouterStatus
from hatchet_router.testing import ROUTED
from hatchet_router.topology import Topology


class Message(SimpleNamespace):
    """A message as aio-pika has it, with what is looked at."""

    acknowledged = False

    async def ack(self) -> None:
        """Acknowledge it."""
        self.acknowledged = True


class Session:
    """Stores what is published."""

    queue = "hatchet.router"

    def __init__(self, *, wanted_by_others: bool = False) -> None:
        self.stored: list[tuple[str, str]] = []
        self._wanted_by_others = wanted_by_others

    async def is_wanted_by_others(self, _key: str) -> bool:
        """Return what it was made with."""
        return self._wanted_by_others

    async def publish(self, message: Any, exchange: str, routing_key: str) -> None:
        """Store a message."""
        self.stored.append((exchange, routing_key))


@pytest.fixture
def message() -> Message:
    """One message."""
    return Message(
        body=b"{}",
        routing_key="user:create",
        message_id="e-1",
        timestamp=None,
        user_id=None,
        content_type=None,
        content_encoding=None,
        headers={},
        redelivered=False,
        correlation_id=None,
        exchange="hatchet.events",
        priority=None,
        reply_to=None,
        type=None,
        app_id=None,
    )


async def settled(
    message: Message, handle: Handler, status: RouterStatus, *, wanted_by_others: bool = False
) -> Session:
    """Settle a message, and return the session it was settled on."""
    session = Session(wanted_by_others=wanted_by_others)
    await Settler(handle, Topology(), status).settle(
        cast("RouterSession", session), cast("AbstractIncomingMessage", message), 0
    )
    return session


async def test_what_is_logged_meanwhile_has_the_ids_of_the_event(message: Message) -> None:
    """Whoever logs it: a library does not know them."""
    seen: dict[str, Any] = {}

    async def handle(_: Delivery) -> Outcome:
        seen.update(get_contextvars())
        return ROUTED

    await settled(message, handle, RouterStatus())

    assert seen == {"event_key": "user:create", "event_id": "e-1"}
    assert get_contextvars() == {}


async def test_each_message_is_counted_with_what_became_of_it(message: Message) -> None:
    """While it is handled it is in hand."""
    status = RouterStatus()
    in_hand: list[int] = []
    outcomes: list[Routed | Rejection] = [ROUTED, Rejection("too-large", "no")]

    async def handle(_: Delivery) -> Outcome:
        in_hand.append(status.counts.in_hand)
        return outcomes.pop(0)

    await settled(message, handle, status)
    session = await settled(message, handle, status)

    assert session.stored == [("hatchet.dead-letters", "user:create")]
    assert message.acknowledged
    counts = status.counts
    assert (counts.received, in_hand, counts.in_hand) == (2, [1, 1], 0)
    assert {name: count for name, count in counts.outcomes.items() if count} == {
        "declined": 1,
        "dead-lettered": 1,
    }
    assert counts.dead_letters["too-large"] == 1


@pytest.mark.parametrize(
    ("outcome", "wanted_by_others", "name"),
    [
        (ROUTED, False, "declined"),
        (Unmatched(), False, "unmatched"),
        (Unmatched(), True, "passed-on"),
        (Rejection("too-large", "no"), False, "dead-lettered"),
    ],
)
async def test_metrics_and_spans_call_an_outcome_the_same(
    message: Message,
    *,
    outcome: Outcome,
    wanted_by_others: bool,
    name: str,
    exporter: InMemorySpanExporter,
) -> None:
    """Whoever follows a number in a dashboard looks for its traces by that name."""
    status = RouterStatus()

    async def handle(_: Delivery) -> Outcome:
        return outcome

    with capture_logs() as logs:
        await settled(message, handle, status, wanted_by_others=wanted_by_others)

    [span] = exporter.get_finished_spans()
    assert (span.attributes or {})["hatchet.outcome"] == name
    assert {each: count for each, count in status.counts.outcomes.items() if count} == {name: 1}
    told = [] if outcome is ROUTED else [f"event.{name.replace('-', '_')}"]
    assert [record["event"] for record in logs] == told


async def test_one_that_is_given_up_in_the_middle_is_not_in_hand_any_more(
    message: Message,
) -> None:
    """It comes again."""
    status = RouterStatus()

    async def handle(_: Delivery) -> Outcome:
        raise TemporalUnavailable("no such namespace")

    with pytest.raises(TemporalUnavailable):
        await settled(message, handle, status)

    assert (status.counts.received, status.counts.in_hand) == (1, 0)
    assert not message.acknowledged
