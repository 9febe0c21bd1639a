"""Spans of messages, and what they bear."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from hatchet_router import spans
from hatchet_router.deliveries import Rejection
from hatchet_router.testing import ROUTED

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


def received(**headers: object) -> AbstractIncomingMessage:
    """Return a message as it comes from the router's queue."""
    message = SimpleNamespace(
        body=b"{}",
        exchange="hatchet.events",
        routing_key="user:create",
        message_id="e-1",
        headers=headers,
    )
    return cast("AbstractIncomingMessage", message)


def test_a_message_bears_the_span_of_its_publication(exporter: InMemorySpanExporter) -> None:
    message = aio_pika.Message(b"{}", message_id="e-1")

    with spans.publishing(message, "hatchet.events", "user:create"):
        pass

    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("publish hatchet.events", SpanKind.PRODUCER)
    bears = f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-"
    assert str(message.headers["traceparent"]).startswith(bears)
    assert dict(span.attributes or {}) == {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": "hatchet.events:user:create",
        "messaging.destination.template": "hatchet.events",
        "messaging.rabbitmq.destination.routing_key": "user:create",
        "messaging.message.id": "e-1",
        "messaging.message.body.size": 2,
    }


@pytest.mark.parametrize("header", [TRACEPARENT, TRACEPARENT.encode()])
def test_the_router_s_span_is_below_the_publisher_s(
    exporter: InMemorySpanExporter, header: object
) -> None:
    """Some clients send texts as bytes."""
    with spans.processing(received(traceparent=header), "hatchet.router") as tell:
        tell(ROUTED)

    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("process hatchet.router", SpanKind.CONSUMER)
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert (span.attributes or {})["hatchet.outcome"] == "declined"


@pytest.mark.parametrize("header", ["nonsense", b"\xff" * 10, 3, ["x"], None, {"a": 1}])
def test_what_is_no_trace_begins_a_new_one(exporter: InMemorySpanExporter, header: object) -> None:
    """Anybody can write a header."""
    with spans.processing(received(traceparent=header), "hatchet.router") as tell:
        tell(Rejection("too-large", "what it says may be long"))

    [span] = exporter.get_finished_spans()
    assert span.parent is None
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "too-large")


async def test_two_messages_at_the_same_time_have_a_span_each(
    exporter: InMemorySpanExporter,
) -> None:
    together = asyncio.Barrier(2)

    async def process(trace: str) -> None:
        header = f"00-{trace}-{SPAN}-01"
        with spans.processing(received(traceparent=header), "hatchet.router") as tell:
            await together.wait()
            tell(ROUTED)

    traces = ["0" * 31 + "1", "0" * 31 + "2"]
    await asyncio.gather(*map(process, traces))

    found = {f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()}
    assert found == set(traces)
