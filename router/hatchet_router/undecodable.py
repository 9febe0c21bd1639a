"""Messages whose properties the AMQP library cannot read: taken all the same, to be rejected.

pamqp gives up on some messages that a broker accepts (pamqp issue 32): tables nested thousands
deep, names that are no UTF-8, a timestamp of 2^63. Left alone that ends the connection, again with
each redelivery, and takes the healthy messages beside it along. So what cannot be read is replaced
by a mark that the router sees, and can reject, once.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, Final

from pamqp import commands, decode
from pamqp.header import ContentHeader

__all__ = [
    "MAX_PROPERTIES_BYTES",
    "EscapedText",
    "UnreadableProperties",
    "tolerate_undecodable",
]

MAX_PROPERTIES_BYTES: Final = 24 * 1024
"""The most that a message's properties may have, its headers included; more are not read at all.

Reading takes pamqp time that grows with the square of the size. An event may have less, so that a
dead letter, which says why beside all that the event had, can be read.
"""

_FIXED_BYTES: Final = 12  # class, weight and body size (AMQP 0-9-1, section 4.2.6.1)


class EscapedText(str):
    """A name that is not UTF-8, such as a routing key, with backslash escapes for its bytes."""

    __slots__ = ()


class UnreadableProperties(dict[str, Any]):
    """What stands for the headers of a message whose properties cannot be read.

    No publisher can make one: it is told by its type. ``raw`` are the bytes of the properties,
    ``reason`` says why they cannot be read.
    """

    def __init__(self, raw: bytes, reason: str) -> None:
        super().__init__({"hatchet-unreadable": reason})
        self.raw = raw
        self.reason = reason


@cache
def tolerate_undecodable() -> None:
    """Make pamqp yield such messages instead of failing; for the whole process, once."""
    read = ContentHeader.unmarshal

    def unmarshal(self: ContentHeader, data: bytes) -> None:
        properties = data[_FIXED_BYTES:]
        reason = _too_large(properties)
        if reason is None:
            try:
                read(self, data)
            except Exception as error:  # noqa: BLE001 - whatever it is, the connection shall live
                reason = _said(error)
            else:
                reason = _escaped(self.properties)
        if reason is not None:
            self.class_id, self.weight, self.body_size = struct.unpack(">HHQ", data[:_FIXED_BYTES])
            headers = UnreadableProperties(properties, reason)
            self.properties = commands.Basic.Properties(headers=headers)

    ContentHeader.unmarshal = unmarshal  # type: ignore[method-assign]
    # The arguments of methods, such as a delivery's routing key, are read by this table.
    decode.METHODS["shortstr"] = _short_text


def _short_text(value: bytes) -> tuple[int, str]:
    consumed = 1 + (value[0] if value else 0)
    octets = value[1:consumed]
    try:
        return consumed, octets.decode()
    except UnicodeDecodeError:
        return consumed, EscapedText(octets.decode("utf-8", "backslashreplace"))


def _too_large(properties: bytes) -> str | None:
    if len(properties) <= MAX_PROPERTIES_BYTES:
        return None
    return f"they have {len(properties):,} bytes, at most {MAX_PROPERTIES_BYTES:,} are read"


def _escaped(properties: commands.Basic.Properties) -> str | None:
    for name in commands.Basic.Properties.__slots__:
        value = getattr(properties, name)
        if isinstance(value, EscapedText):
            return f"the {name} {value!r} is not UTF-8"
    return None


def _said(error: Exception) -> str:
    match error:
        case RecursionError():
            return "they are nested too deeply"
        case UnicodeDecodeError():
            return f"byte 0x{error.object[error.start]:02x} in a name or text is not UTF-8"
        case _:
            return f"{type(error).__name__}: {error}"
