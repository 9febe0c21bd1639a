"""What pydantic takes for a value of some kind, unless it is told to be strict: mostly more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from hatchet_schemas.checks.json_schemas import Schema

__all__ = ["fits", "may_become", "reads_alike"]

_RENDERED: Final = re.compile(r"\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_INTEGER: Final = re.compile(r"\s*[-+]?[0-9_]+(\.0*)?\s*", re.ASCII)
_NUMBERS_LETTERS: Final = re.compile(r"[-+0-9._\seEinfatyINFATY]*", re.ASCII)
_MAX_TRUTH: Final = 5  # characters of the longest text that pydantic takes for true or false
_TRUTHS: Final = frozenset("0 1 true false yes no on off t f y n".split())
_TIMES: Final = frozenset({"date", "date-time", "duration", "time", "time-delta"})


def fits(value: Any, kind: str, schema: Schema) -> bool:
    """Return whether ``value`` is taken for one of that JSON Schema type."""
    return _FITS[kind](value, schema)


def may_become(text: str, kind: str) -> bool:
    """Return whether a text with templates may become what pydantic takes for that type."""
    if kind in {"array", "object", "null"}:
        return False
    if kind == "string" or "{%" in text:
        return True
    fixed = _RENDERED.sub("", text)
    if kind == "boolean":
        return len(fixed.strip()) <= _MAX_TRUTH
    return _NUMBERS_LETTERS.fullmatch(fixed) is not None


def reads_alike(value: Any, choice: Any) -> bool:
    """Return whether pydantic may take ``value`` for ``choice``: some texts for numbers."""
    if value == choice:
        return True
    return (
        isinstance(value, str)
        and isinstance(choice, (int, float))
        and _fits_number(value, {})
        and float(value) == choice
    )


def _fits_integer(value: Any, _: Schema) -> bool:
    if isinstance(value, str):
        return _INTEGER.fullmatch(value) is not None
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _fits_number(value: Any, _: Schema) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, (int, float))


def _fits_string(value: Any, schema: Schema) -> bool:
    # Times and durations may be given in seconds.
    return isinstance(value, str) or (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and schema.get("format") in _TIMES
    )


def _fits_boolean(value: Any, _: Schema) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in _TRUTHS
    return value in (0, 1) if isinstance(value, (bool, int, float)) else False


_FITS: Final[Mapping[str, Callable[[Any, Schema], bool]]] = {
    "array": lambda value, _: isinstance(value, list),
    "boolean": _fits_boolean,
    "integer": _fits_integer,
    "null": lambda value, _: value is None,
    "number": _fits_number,
    "object": lambda value, _: isinstance(value, dict),
    "string": _fits_string,
}
