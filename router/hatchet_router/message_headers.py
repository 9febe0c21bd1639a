"""The limits of a message's headers (AMQP 0-9-1, section 4.2.5.5: field tables)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hatchet_router.json_bodies import MAX_DEPTH
from hatchet_router.letter_headers import BROKER_HEADERS, DEATH_PREFIXES, DEATHS, HISTORY
from hatchet_router.reasons import TOO_LARGE, UNDECODABLE
from hatchet_router.refusals import Refusal

__all__ = ["MAX_HEADERS", "MAX_HEADERS_BYTES", "NOT_PUBLISHED", "check_headers"]

MAX_HEADERS: Final = 64
"""How many headers an event may have."""

MAX_HEADERS_BYTES: Final = 16 * 1024
"""How many bytes their names and values may have: texts in UTF-8, and eight for any other value."""

NOT_PUBLISHED: Final = (
    HISTORY
    | BROKER_HEADERS
    | {DEATHS}
    | {prefix + what for prefix in DEATH_PREFIXES for what in ("exchange", "queue", "reason")}
)
"""Headers that RabbitMQ and a replay add: an event has no less room for it."""

_BYTES_OF_OTHERS: Final = 8


def check_headers(headers: Mapping[str, Any]) -> None:
    """Raise a `Refusal` if ``headers`` are too many, too large or nested too deep."""
    published = {name: value for name, value in headers.items() if name not in NOT_PUBLISHED}
    if len(published) > MAX_HEADERS:
        raise Refusal(
            f"the message has {len(published)} headers, at most {MAX_HEADERS} are accepted",
            TOO_LARGE,
        )
    size = 0
    depth = 0
    level: list[Any] = [published]
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise Refusal(f"the headers are nested more than {MAX_DEPTH} deep", UNDECODABLE)
        below: list[Any] = []
        for container in level:
            values = container
            if isinstance(container, dict):
                size += sum(_bytes_of(name) for name in container)
                values = container.values()
            for value in values:
                if isinstance(value, (dict, list)):
                    below.append(value)
                else:
                    size += _bytes_of(value)
        level = below
    if size > MAX_HEADERS_BYTES:
        raise Refusal(
            f"the headers have {size:,} bytes, at most {MAX_HEADERS_BYTES:,} are accepted",
            TOO_LARGE,
        )


def _bytes_of(value: object) -> int:
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        case bytes() | bytearray():
            return len(value)
        case _:
            return _BYTES_OF_OTHERS
