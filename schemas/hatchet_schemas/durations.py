"""Durations as workflow files write them: ``15s``, ``1m30s``, ``250ms``, ``1h``."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from hatchet_schemas.errors import SchemaError, shown

__all__ = ["MAX_DURATION", "Duration", "format_duration", "parse_duration"]

MAX_DURATION: Final = timedelta(days=3650)
"""The longest duration accepted; well below what Temporal can hold."""

# Units in milliseconds, largest first: the order in which they must be written.
_UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_NUMBER: Final = r"\d{1,9}(?:\.\d{1,9})?"
_GRAMMAR: Final = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in _UNITS_MS), re.ASCII)
_EXPECTED: Final = "expected a number and a unit (d, h, m, s, ms), such as 15s, 1m30s or 250ms"


@lru_cache(maxsize=256)
def parse_duration(text: str) -> timedelta:
    """Return the time that ``text`` names.

    The grammar is that of Go's ``time.ParseDuration`` with a ``d`` for days and without signs:
    numbers with units, each unit at most once, the larger before the smaller.

    Raises:
        SchemaError: ``text`` is no duration, is zero, or is longer than `MAX_DURATION`.

    """
    match = _GRAMMAR.fullmatch(text)
    if match is None or not text:
        raise SchemaError(f"{shown(text)} is not a duration: {_EXPECTED}")
    milliseconds = sum(
        float(number) * unit
        for number, unit in zip(match.groups(), _UNITS_MS.values(), strict=True)
        if number is not None
    )
    return _within_bounds(milliseconds, repr(text))


def format_duration(duration: timedelta) -> str:
    """Return ``duration`` as a workflow file would write it; `parse_duration` reads it back."""
    rest = round(duration / timedelta(milliseconds=1))
    parts: list[str] = []
    for unit, size in _UNITS_MS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0ms"


def _within_bounds(milliseconds: float, said: str) -> timedelta:
    if milliseconds < 1:
        raise SchemaError(f"{said} is too short: a duration is at least 1ms")
    if milliseconds > MAX_DURATION / timedelta(milliseconds=1):
        raise SchemaError(f"{said} is too long: a duration is at most {MAX_DURATION.days}d")
    return timedelta(milliseconds=round(milliseconds))


def _from_file(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return _within_bounds(value / timedelta(milliseconds=1), str(value))
    if isinstance(value, str):
        return parse_duration(value)
    raise PydanticCustomError(
        "duration_type", "a duration is a text: {expected}", {"expected": _EXPECTED}
    )


Duration = Annotated[
    timedelta,
    BeforeValidator(_from_file),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["15s", "1m30s", "250ms", "1h"]}),
]
"""A positive time span; text in files and in JSON, a `timedelta` in Python."""
