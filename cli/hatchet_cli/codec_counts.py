"""What a codec server has done so far, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

__all__ = ["OPERATIONS", "OUTCOMES", "CodecCounts", "CodecOutcome"]

CodecOutcome = Literal["converted", "refused", "unreadable", "failed"]

OPERATIONS: Final = ("encode", "decode")
OUTCOMES: Final[tuple[CodecOutcome, ...]] = ("converted", "refused", "unreadable", "failed")
"""``refused`` has no token or comes from another page, ``failed`` is a fault of ours."""


@dataclass(slots=True)
class CodecCounts:
    """Requests, by operation and outcome: all from 0 on, so that rates can be told."""

    requests: Counter[tuple[str, CodecOutcome]] = field(
        default_factory=lambda: Counter(dict.fromkeys(product(OPERATIONS, OUTCOMES), 0))
    )
