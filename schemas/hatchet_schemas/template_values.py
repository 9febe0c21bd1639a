"""What templates compute with: JSON data, fields that are missing, and a bound on the work."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.utils import missing

from hatchet_schemas.errors import shown
from hatchet_schemas.template_hints import hint_for_name

__all__ = [
    "CALL",
    "ELEMENT",
    "MAX_WORK",
    "ROOT",
    "AbsentFields",
    "Meter",
    "MeteredContext",
    "Missing",
    "as_json_text",
    "as_output",
    "as_text",
    "fail_if_missing",
    "is_number",
    "kind_of",
    "plain_copy",
    "within_bounds",
]

ROOT: Final = "root__"
"""The name under which templates find the whole scope; what a leading dot stands for."""

MAX_WORK: Final = 1024 * 1024
"""What one template may read and make, in characters copied; a unit takes 10 to 50 ns."""

ELEMENT: Final = 4
"""What an element of a list or map costs wherever it is looked at."""

CALL: Final = 128
"""What one call of a filter or test costs; ``map`` and ``select`` make one for each element."""

_MAX_INTEGER: Final = 2**63
_MAX_LISTED_FIELDS: Final = 20
_MAX_INDENT: Final = 8
_CHARACTERS_OF_JSON_A_UNIT: Final = 4
_COST_OF_INDENT: Final = 24  # the standard library indents in Python, one generator a level


class AbsentFields(dict[str, Any]):
    """A map that lacks what one would look for in it, and can say why."""

    def __init__(self, reason: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(fields or {})
        self.reason = reason


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
        if isinstance(self._undefined_obj, AbsentFields):
            return f"no field {name}: {self._undefined_obj.reason}"
        if isinstance(self._undefined_obj, Mapping):
            fields = sorted(str(key) for key in self._undefined_obj if key != ROOT)
            listed = ", ".join(field[:60] for field in fields[:_MAX_LISTED_FIELDS]) or "none"
            return f"no field {name}; there are: {listed}"
        if self._undefined_obj is missing:
            return f"unknown name {name}{hint_for_name(self._undefined_name)}"
        return f"no field {name}: there is {kind_of(self._undefined_obj)}"


class Meter:
    """How much may still be read and made by one template.

    What it spends is spent of ``shared``, too, which several templates have together. A template of
    a few characters can ask for gigabytes, or for hours, step by step or at once: all that is read
    and made on the way to the result counts, not the result alone. It is work that is counted, and
    not time, so that rendering the same again ends in the same way.
    """

    __slots__ = ("_limit", "_shared", "room")

    def __init__(self, room: int = MAX_WORK, shared: Meter | None = None) -> None:
        self.room = room
        self._limit = room
        self._shared = shared

    def spend(self, count: int) -> None:
        """Count what was made, or is about to be.

        Raises:
            ValueError: it is too much, or less than nothing.

        """
        if count < 0:
            raise ValueError("the work is negative")
        self.room -= count
        if self.room < 0:
            raise ValueError(
                f"it takes too much work: more than {self._limit:,} characters and elements"
            )
        if self._shared is not None:
            self._shared.spend(count)

    def read(self, value: Any, characters_a_unit: int = 1) -> None:
        """Count every character and element of ``value``, however deep.

        A list that is in it many times counts as often. ``characters_a_unit`` is more than 1 for
        what reads texts faster than it makes them.

        Raises:
            ValueError: it is too much.

        """
        if isinstance(value, str):
            self.spend(len(value) // characters_a_unit)
            return
        stack = [value]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                self.spend(len(item) // characters_a_unit)
            elif isinstance(item, Mapping):
                keys = sum(len(key) for key in item if isinstance(key, str))
                self.spend(keys + 4 * ELEMENT + 3 * ELEMENT * len(item))
                stack.extend(item.values())
            elif isinstance(item, (list, tuple)):
                self.spend(1 + 2 * ELEMENT * len(item))
                stack.extend(item)


class MeteredContext(Context):
    """One rendering, and how much it may still read and make."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.meter = Meter()

    def spend(self, count: int) -> None:
        """Count what was made, or is about to be.

        Raises:
            ValueError: it is too much.

        """
        self.meter.spend(count)


def is_number(value: Any) -> bool:
    """Tell whether ``value`` can be computed with; true and false can, as 1 and 0."""
    return isinstance(value, (int, float))


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


def as_text(value: Any, meter: Meter | None = None) -> str:
    """Return how ``value`` reads inside a text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else as_json_text(value, meter)


@pass_context
def as_output(context: MeteredContext, value: Any) -> str:
    """Return how ``value`` reads between the texts of a template."""
    return as_text(value, context.meter)


def as_json_text(value: Any, meter: Meter | None = None, indent: int | None = None) -> str:
    """Return ``value`` as JSON, on one line or with ``indent`` spaces, at most 8, for each level.

    Raises:
        ValueError: it is more than ``meter``, or `MAX_WORK`, allows.

    """
    if indent is not None and indent not in range(_MAX_INDENT + 1):
        raise ValueError(f"JSON is indented by 0 to {_MAX_INDENT} spaces")
    if type(value) is int:
        return str(value)
    meter = meter or Meter()
    before = meter.room
    meter.spend(CALL)
    meter.read(value, _CHARACTERS_OF_JSON_A_UNIT)
    if indent is not None:
        meter.spend(_COST_OF_INDENT * (before - meter.room))
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain, indent=indent)


def plain_copy(value: Any, meter: Meter | None = None) -> Any:
    """Return a copy of ``value`` as JSON data; a text holding half a surrogate pair is none."""
    return json.loads(as_json_text(value, meter).encode())


def _plain(value: Any) -> Any:
    fail_if_missing(value)
    if isinstance(value, Undefined):
        raise TypeError("an if without else is worth nothing where it does not hold: write else")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON data")
