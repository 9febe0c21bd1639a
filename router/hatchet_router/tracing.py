"""Spans of messages, by OpenTelemetry's semantic conventions for RabbitMQ.

A publisher's span is the parent of the router's: the message bears it in its headers, as W3C
Trace Context says (``traceparent``), or as ``OTEL_PROPAGATORS`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from hatchet_router.deliveries import Outcome, Rejection, Routed, name_of

__all__ = ["processing", "publishing"]

_MAX_ATTRIBUTE_CHARACTERS: Final = 300
_VERSION: Final = version("hatchet-workflows")


def _tracer() -> Tracer:
    return trace.get_tracer("hatchet.router", _VERSION)


@contextmanager
def publishing(message: aio_pika.Message, exchange: str, key: str) -> Generator[None]:
    """Make a span of publishing ``message``, and write it into its headers."""
    attributes = {
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": f"{exchange}:{key}",
        **_attributes(exchange, key, message.message_id, len(message.body)),
    }
    # By the exchange alone: event keys may be many.
    name = f"publish {exchange}"
    with _tracer().start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        message.headers.update(carrier)
        yield


@contextmanager
def processing(
    message: AbstractIncomingMessage, queue: str
) -> Generator[Callable[[Outcome], None]]:
    """Make a span of handling ``message``, below the one that it bears."""
    exchange, key = message.exchange or "", message.routing_key or ""
    attributes = {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": f"{exchange}:{key}:{queue}",
        **_attributes(queue, key, message.message_id, len(message.body)),
    }
    with _tracer().start_as_current_span(
        f"process {queue}",
        context=propagate.extract(_carrier(message.headers)),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
    ) as span:
        yield partial(_tell, span)


def _tell(span: Span, outcome: Outcome) -> None:
    span.set_attribute("hatchet.outcome", name_of(outcome))
    match outcome:
        case Routed(event, jobs):
            span.set_attributes(
                {
                    "hatchet.event.id": event.id[:_MAX_ATTRIBUTE_CHARACTERS],
                    "hatchet.jobs": len(jobs),
                    "hatchet.jobs.duplicate": sum(job.duplicate for job in jobs),
                }
            )
        case Rejection(kind):
            span.set_attribute("error.type", kind)
            span.set_status(StatusCode.ERROR, kind)
        case _:
            pass


def _attributes(
    template: str, key: str, message_id: str | None, body_bytes: int
) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "messaging.system": "rabbitmq",
        "messaging.destination.template": template,
        "messaging.rabbitmq.destination.routing_key": key,
        "messaging.message.body.size": body_bytes,
    }
    if message_id:
        attributes["messaging.message.id"] = message_id[:_MAX_ATTRIBUTE_CHARACTERS]
    return attributes


def _carrier(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that tell of a trace; client libraries send texts, or bytes."""
    carrier: dict[str, str] = {}
    for name in propagate.get_global_textmap().fields:
        value = headers.get(name)
        if isinstance(value, bytes | bytearray):
            value = value.decode("latin-1")
        if isinstance(value, str):
            carrier[name] = value
    return carrier
