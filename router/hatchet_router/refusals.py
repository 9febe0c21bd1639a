"""Why a delivery is no event: raised inside the decoder, which makes a `Rejection` of it."""

from __future__ import annotations

from typing import Final

__all__ = ["TOO_LARGE", "UNDECODABLE", "UNSUPPORTED_ENCODING", "Refusal", "shown"]

UNDECODABLE: Final = "undecodable"
"""The message is not what it says it is, or no JSON object."""

TOO_LARGE: Final = "too-large"
"""The body, before or after decompression, the headers or the event's id pass a limit."""

UNSUPPORTED_ENCODING: Final = "unsupported-encoding"
"""The message says that it is in a form that is not read here; it may well be sound."""

_MAX_SHOWN: Final = 80  # characters


class Refusal(ValueError):
    """The delivery is no event; ``kind`` is a stable name, the text is for people."""

    def __init__(self, message: str, kind: str = UNDECODABLE) -> None:
        super().__init__(message)
        self.kind = kind


def shown(value: object) -> str:
    """Return ``value``, which a publisher chose, in printable characters and not too many.

    What is not printable is escaped, control and bidirectional characters among them.
    """
    text = repr(value[:_MAX_SHOWN] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
