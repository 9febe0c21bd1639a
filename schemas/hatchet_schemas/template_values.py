"""What templates compute with: JSON data, fields that are missing, and a bound on what is made."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined
from jinja2.runtime import Context
from jinja2.utils import missing

from hatchet_schemas.errors import shown

__all__ = [
    "ROOT",
    "MeteredContext",
    "Missing",
    "as_json_text",
    "as_text",
    "fail_if_missing",
    "kind_of",
    "plain_copy",
    "within_bounds",
]

ROOT: Final = "root__"
"""The name under which templates find the whole scope; what a leading dot stands for."""

_MAX_MADE: Final = 2 * 1024 * 1024  # characters and elements; Temporal takes payloads of 2 MiB
_MAX_INTEGER: Final = 2**63
_MAX_LISTED_FIELDS: Final = 20


class Missing(StrictUndefined):
    """A field that is not there; any use of it is an error that names the first one missing."""

    def fail(self) -> NoReturn:
        """Raise the error that any use of the missing field raises."""
        self._fail_with_undefined_error()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name = shown(self._undefined_name)
        if isinstance(self._undefined_obj, Mapping):
            fields = sorted(str(key) for key in self._undefined_obj if key != ROOT)
            listed = ", ".join(field[:60] for field in fields[:_MAX_LISTED_FIELDS]) or "none"
            return f"no field {name}; there are: {listed}"
        if self._undefined_obj is missing:
            return f"unknown name {name}"
        return f"no field {name}: there is {kind_of(self._undefined_obj)}"


class MeteredContext(Context):
    """One rendering, and how much it may still make of what it was given.

    A template of a few characters can ask for gigabytes, step by step or at once: every text and
    list made on the way to the result counts, not the result alone.
    """

    room = _MAX_MADE

    def spend(self, count: int) -> None:
        """Count characters or elements that were made, or are about to be.

        Raises:
            ValueError: they are too many.

        """
        self.room -= count
        if self.room < 0:
            raise ValueError(f"a template makes at most {_MAX_MADE:,} characters and elements")


def kind_of(value: Any) -> str:
    """Return what ``value`` is, as its author would say."""
    if isinstance(value, Mapping):
        return "a map"
    return {str: "a text", list: "a list", type(None): "null", bool: "true or false"}.get(
        type(value), "a number"
    )


def fail_if_missing(value: Any) -> None:
    """Raise the error of a missing field if ``value`` is one."""
    if isinstance(value, Missing):
        value.fail()


def within_bounds(number: float) -> float:
    """Return ``number`` if JSON can hold it and others can read it.

    Raises:
        ValueError: it is infinite, not a number, or an integer that does not fit 64 bits.

    """
    if not math.isfinite(number):
        raise ValueError("the result is no finite number")
    if isinstance(number, int) and not -_MAX_INTEGER <= number < _MAX_INTEGER:
        raise ValueError("the result does not fit 64 bits")
    return number


def as_text(value: Any) -> str:
    """Return how ``value`` reads inside a text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else as_json_text(value)


def as_json_text(value: Any) -> str:
    """Return ``value`` as JSON."""
    _measure(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)


def plain_copy(value: Any) -> Any:
    """Return a copy of ``value`` as JSON data; a text holding half a surrogate pair is none."""
    return json.loads(as_json_text(value).encode())


def _measure(value: Any) -> None:
    """Raise ValueError if ``value`` is too large to be written out; a list may repeat a text."""
    stack = [value]
    count = 0
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            count += len(item)
        elif isinstance(item, Mapping):
            count += sum(len(key) for key in item if isinstance(key, str))
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)
        count += 1
        if count > _MAX_MADE:
            raise ValueError(f"the result has more than {_MAX_MADE:,} characters and elements")


def _plain(value: Any) -> Any:
    fail_if_missing(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON data")
