"""A delivery into an event, or into the reason why it is none."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event

__all__ = ["DEFAULT_MAX_BODY_BYTES", "MAX_DEPTH", "decode"]

DEFAULT_MAX_BODY_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 64
"""How deep an event's lists and maps may be nested."""

_MAX_INTEGER: Final = 2**63
_MAX_INTEGER_DIGITS: Final = 20  # with the sign
# Not only HTTP's names of them: many AMQP clients (Spring, kombu) say the charset here.
_PLAIN_ENCODINGS: Final = frozenset({"", "identity", "utf-8", "utf8"})


class _JsonError(ValueError):
    """JSON that other parsers would read differently, or not at all (RFC 8259, section 4 to 8)."""


def decode(
    delivery: Delivery,
    *,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> Event | Rejection:
    """Return the event in ``delivery``, or why there is none.

    The body is a JSON object in UTF-8, whatever the content type says; clients that set no
    properties at all are understood. The event's id is the AMQP ``message_id``; without one the
    event gets a new id, so that a redelivery is a new event. The source is the broker-verified
    ``user_id``.
    """
    event_id = delivery.message_id or new_id()
    if len(delivery.body) > max_body_bytes:
        return Rejection(
            "too-large",
            f"the body has {len(delivery.body):,} bytes, at most {max_body_bytes:,} are accepted",
            event_id,
        )
    if (delivery.content_encoding or "").lower() not in _PLAIN_ENCODINGS:
        return Rejection(
            "undecodable",
            f"content encoding {delivery.content_encoding!r} is not supported",
            event_id,
        )
    try:
        data = _strict_json(delivery.body)
    except (ValueError, RecursionError) as error:
        return Rejection("undecodable", f"the body is not JSON: {_said(error)}", event_id)
    if not isinstance(data, dict):
        return Rejection(
            "undecodable",
            f"the body is {_KINDS.get(type(data), 'a number')}, expected a JSON object",
            event_id,
        )
    return Event(
        id=event_id,
        key=delivery.routing_key,
        time=delivery.timestamp or now(),
        source=delivery.user_id,
        data=data,
    )


_KINDS: Final = {
    list: "a JSON array",
    str: "a JSON string",
    bool: "true or false",
    type(None): "null",
}


def _said(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return f"byte 0x{error.object[error.start]:02x} at {error.start} is not UTF-8"
        case RecursionError():
            return f"nested more than {MAX_DEPTH} deep"
        case json.JSONDecodeError() if not error.doc.strip():
            return "it is empty"
        case json.JSONDecodeError() if error.doc.startswith("\ufeff"):
            return "it starts with a byte order mark"
        case _:
            return str(error)


def _strict_json(body: bytes) -> Any:
    text = body.decode("utf-8")
    data = _JSON.decode(text)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise _JsonError(f"nested more than {MAX_DEPTH} deep")
    if "\\u" in text:
        _refuse_lone_surrogates(data)
    return data


def _depth(data: Any) -> int:
    depth = 0
    level = [data]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _refuse_lone_surrogates(data: Any) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _JsonError("a \\u escape is half of a surrogate pair") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise _JsonError(f"field {twice[:80]!r} stands twice in one object")
    return result


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_DIGITS:
        number = int(digits)
        if -_MAX_INTEGER <= number < _MAX_INTEGER:
            return number
    raise _JsonError("an integer does not fit 64 bits")


def _float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise _JsonError("a number is too large")
    return number


def _constant(name: str) -> Any:
    raise _JsonError(f"{name} is not JSON")


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
