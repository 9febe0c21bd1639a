"""Why a delivery is no event: raised inside the decoder, which makes a `Rejection` of it."""

from __future__ import annotations

from typing import Final

from hatchet_router.reasons import UNDECODABLE

__all__ = ["Refusal", "shown"]

_MAX_SHOWN: Final = 80  # characters


class Refusal(ValueError):
    """The delivery is no event; ``kind`` is one of `REASONS`, the text is for people."""

    def __init__(self, message: str, kind: str = UNDECODABLE) -> None:
        super().__init__(message)
        self.kind = kind


def shown(value: object) -> str:
    """Return ``value``, which a publisher chose, in printable characters and not too many.

    What is not printable is escaped, control and bidirectional characters among them.
    """
    text = repr(value[:_MAX_SHOWN] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
