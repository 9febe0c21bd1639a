"""Comparing values in templates, and the tests behind ``is``: what is read to compare is counted.

Comparing two events that are nearly the same, or looking for an element in a long list, takes
as long as they are; a template can ask for it a thousand times.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from jinja2.tests import TESTS as JINJA2_TESTS

from hatchet_schemas.template_values import (
    MeteredContext,
    as_text,
    fail_if_missing,
    is_number,
    kind_of,
)

__all__ = ["COMPARISONS", "TESTS", "contains", "spend_on_search"]

_Test = Callable[..., Any]

_WORDS: Final = {
    "==": ("eq", "equalto"),
    "!=": ("ne",),
    ">": ("gt", "greaterthan"),
    ">=": ("ge",),
    "<": ("lt", "lessthan"),
    "<=": ("le",),
}
_COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
# Jinja2's that look at what a value is, and at no more than that.
_THEIRS: Final = (
    "boolean callable defined escaped false float integer iterable mapping none number sameas "
    "sequence string true undefined"
).split()

_SLOW_NEEDLE: Final = 100  # characters; for longer ones CPython searches in linear time
_COMPARED_AT_ONCE: Final = 16  # characters, for one of the meter


def compared(context: MeteredContext, left: Any, sign: str, right: Any) -> Any:
    """Return what ``left == right`` is worth, or another comparison by its sign."""
    fail_if_missing(left)
    fail_if_missing(right)
    if isinstance(left, str) and isinstance(right, str):
        context.spend(min(len(left), len(right)))
    elif isinstance(left, (list, Mapping)) and isinstance(right, (list, Mapping)):
        context.meter.read(left)
    return _COMPARED[sign](left, right)


def contains(context: MeteredContext, items: Any, value: Any) -> bool:
    """Return whether ``value`` is an element of a list, a key of a map, or a part of a text."""
    fail_if_missing(items)
    fail_if_missing(value)
    if isinstance(items, str) and isinstance(value, str):
        spend_on_search(context, items, value)
    elif isinstance(items, Mapping):
        context.meter.read(value)
    elif isinstance(items, list):
        if isinstance(value, (str, list, Mapping)):
            context.meter.read(items)
        else:
            context.spend(len(items))
    else:
        raise TypeError(f"in needs a list, a map or a text to look into, not {kind_of(items)}")
    return bool(operator.contains(items, value))


def spend_on_search(context: MeteredContext, text: str, part: str) -> None:
    """Count what it takes to look for ``part`` in ``text``, at worst."""
    slow = min(len(part), _SLOW_NEEDLE) // _COMPARED_AT_ONCE
    context.spend(len(part) + len(text) * (1 + slow))


def _chain(context: MeteredContext, left: Any, *rest: Any) -> Any:
    """Return what ``a < b < c`` is worth, given as a, '<', b, '<', c with the signs' names."""
    holds: Any = True
    for sign, right in zip(rest[::2], rest[1::2], strict=True):
        if sign in {"in", "notin"}:
            holds = contains(context, right, left) is (sign == "in")
        else:
            holds = compared(context, left, _SIGNS[sign], right)
        if not holds:
            break
        left = right
    return holds


_SIGNS: Final = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}


def _part(_context: MeteredContext, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """Return ``value[start:stop:step]``, for a list or a text."""
    fail_if_missing(value)
    for bound in (start, stop, step):
        fail_if_missing(bound)
    if not isinstance(value, (list, str)):
        raise TypeError(f"[:] takes a part of a list or a text, not of {kind_of(value)}")
    if step == 0:
        raise ValueError("slice step cannot be zero")
    return value[start:stop:step]


def _comparison(sign: str) -> _Test:
    def test(context: MeteredContext, value: Any, other: Any) -> Any:
        return compared(context, value, sign, other)

    return test


def _simple(name: str) -> _Test:
    check = cast("_Test", JINJA2_TESTS[name])

    def test(context: MeteredContext, *args: Any) -> Any:  # noqa: ARG001 - the one convention
        return check(*args)

    return test


def _in(context: MeteredContext, value: Any, items: Any) -> bool:
    return contains(context, items, value)


def _lower(context: MeteredContext, value: Any) -> bool:
    text = as_text(value, context.meter)
    context.spend(len(text))
    return text.islower()


def _upper(context: MeteredContext, value: Any) -> bool:
    text = as_text(value, context.meter)
    context.spend(len(text))
    return text.isupper()


def _is_filter(context: MeteredContext, name: Any) -> bool:
    return isinstance(name, str) and name in context.environment.filters


def _is_test(context: MeteredContext, name: Any) -> bool:
    return isinstance(name, str) and name in context.environment.tests


def _rest(value: Any, divisor: Any) -> float:
    """Return what division leaves over; Python's own % would format a text, to any width."""
    for number in (value, divisor):
        fail_if_missing(number)
        if not is_number(number):
            raise TypeError(f"a test of divisibility needs a number, not {kind_of(number)}")
    rest: float = value % divisor
    return rest


def _odd(context: MeteredContext, value: Any) -> bool:  # noqa: ARG001 - the one convention
    return _rest(value, 2) == 1


def _even(context: MeteredContext, value: Any) -> bool:  # noqa: ARG001 - likewise
    return _rest(value, 2) == 0


def _divisible_by(context: MeteredContext, value: Any, divisor: Any) -> bool:  # noqa: ARG001
    return _rest(value, divisor) == 0


COMPARISONS: Final[dict[str, _Test]] = {"compare__": _chain, "part__": _part}
"""What the operators of comparison, and ``[:]``, are compiled to."""

TESTS: Final[dict[str, _Test]] = {
    **{name: _simple(name) for name in _THEIRS},
    **{name: _comparison(sign) for sign, names in _WORDS.items() for name in (sign, *names)},
    "divisibleby": _divisible_by,
    "even": _even,
    "filter": _is_filter,
    "in": _in,
    "lower": _lower,
    "odd": _odd,
    "test": _is_test,
    "upper": _upper,
}
