"""What frameworks wrap an event's data in, and what their envelopes say of the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hatchet_router.json_bodies import json_object
from hatchet_router.refusals import Refusal, shown
from hatchet_router.timestamps import read_time

__all__ = [
    "MASSTRANSIT",
    "MASSTRANSIT_JSON",
    "Envelope",
    "is_celery",
    "of_celery",
    "of_masstransit",
    "of_plain",
]

MASSTRANSIT: Final = "application/vnd.masstransit"
"""What MassTransit's content types begin with."""

MASSTRANSIT_JSON: Final = "application/vnd.masstransit+json"

# Celery's documentation, "Message Protocol", and `celery.app.amqp.AMQP` of 5.7: what every version
# since 3.1 writes, and what some write beside.
_CELERY_1: Final = frozenset({"task", "id", "args", "kwargs", "retries", "eta", "expires", "utc"})
_CELERY_1_MORE: Final = frozenset(
    {"callbacks", "errbacks", "timelimit", "taskset", "chord", "group", "group_index"}
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event's data, and what is said of it beside the message's properties, which it precedes.

    ``source`` is what the publisher says; nobody has verified it.
    """

    data: dict[str, Any]
    id: str | None = None
    time: datetime | None = None
    source: str | None = None


def of_plain(body: Any, correlation_id: str | None) -> Envelope:
    """Return the event that is the ``body`` itself; or Celery's, if it is one of protocol 1.

    Of protocol 1 all is in the body. So that nobody's own data are taken for it, it is believed
    only where the ``correlation_id`` is the task's id, as Celery has it, and no field is foreign.
    """
    data = json_object(body, "the body")
    if correlation_id and data.get("id") == correlation_id and _is_celery_1(data):
        return Envelope(_of_arguments(data["args"], data["kwargs"]), id=correlation_id)
    return Envelope(data)


def is_celery(headers: Mapping[str, Any]) -> bool:
    """Return whether ``headers`` are those of a Celery message of protocol 2."""
    return isinstance(headers.get("task"), str) and isinstance(headers.get("id"), str)


def of_celery(body: Any, headers: Mapping[str, Any]) -> Envelope:
    """Return the event in a Celery message of protocol 2, whose ``body`` is a list.

    The list is ``[args, kwargs, embed]``; what is embedded (callbacks, chains) is for Celery's own
    workers.

    Raises:
        Refusal: it is another list.

    """
    match body:
        case [list() as args, dict() as kwargs, dict() | None]:
            return Envelope(_of_arguments(args, kwargs), id=headers["id"] or None)
        case _:
            raise Refusal(
                f"the body of Celery task {shown(headers['task'])} is another list than "
                "[args, kwargs, embed]"
            )


def of_masstransit(body: Any) -> Envelope:
    """Return the event in an envelope of MassTransit (its documentation, "Messages").

    Raises:
        Refusal: the ``body`` is no such envelope.

    """
    envelope = json_object(body, "the body")
    if "message" not in envelope:
        raise Refusal("the MassTransit envelope has no message")
    data = json_object(envelope["message"], "the MassTransit envelope's message")
    sent = envelope.get("sentTime")
    return Envelope(
        data,
        id=_text(envelope, "messageId"),
        time=None if sent is None else read_time(sent, "the MassTransit envelope's sentTime"),
        source=_text(envelope, "sourceAddress"),
    )


def _text(envelope: dict[str, Any], name: str) -> str | None:
    value = envelope.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise Refusal(f"the MassTransit envelope's {name} is {shown(value)}, expected a text")


def _is_celery_1(body: dict[str, Any]) -> bool:
    names = body.keys()
    return (
        names >= _CELERY_1
        and names <= _CELERY_1 | _CELERY_1_MORE
        and isinstance(body["args"], list)
        and isinstance(body["kwargs"], dict)
    )


def _of_arguments(args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments; where there are others, both under their names."""
    return {"args": args, "kwargs": kwargs} if args else kwargs
