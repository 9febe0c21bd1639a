"""The filters of templates: those of Jinja2 that suit JSON data, each of them bounded.

Left out are those that draw lots, make HTML, or pad. What a filter makes is counted, iterators
become lists at once, and where Jinja2's own can grow or hang without bound, or spells values as
Python does, there is one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from jinja2 import pass_context, pass_environment
from jinja2.environment import Environment
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.tests import TESTS

from hatchet_schemas.template_values import (
    MeteredContext,
    as_json_text,
    as_text,
    fail_if_missing,
    kind_of,
    within_bounds,
)

__all__ = ["ALL_FILTERS", "ALL_TESTS"]

_NAMES: Final = (
    "abs capitalize count d default dictsort first float int items join last length list lower "
    "map max min reject rejectattr replace reverse round select selectattr sort string sum title "
    "tojson trim truncate unique upper urlencode wordcount"
).split()
_MAX_DECIMALS: Final = 15  # all that a double has

_Filter = Callable[..., Any]
_THEIRS: Final = cast("dict[str, _Filter]", FILTERS)


@pass_context
def _join(
    context: MeteredContext,
    value: Iterable[Any],
    d: str = "",
    attribute: str | int | None = None,
) -> str:
    item_of = make_attrgetter(context.environment, attribute)
    separator = as_text(d)
    parts: list[str] = []
    for item in value:
        parts.append(as_text(item_of(item)))
        context.spend(len(parts[-1]) + len(separator))
    return separator.join(parts)


@pass_context
def _replace(
    context: MeteredContext, value: Any, old: Any, new: Any, count: int | None = None
) -> str:
    text, before, after = as_text(value), as_text(old), as_text(new)
    times = text.count(before) if count is None or count < 0 else min(count, text.count(before))
    context.spend(len(text) + times * max(0, len(after) - len(before)))
    return text.replace(before, after, times)


def _round(value: Any, precision: int = 0, method: str = "common") -> float:
    if not -_MAX_DECIMALS <= precision <= _MAX_DECIMALS:
        raise ValueError(f"round keeps at most {_MAX_DECIMALS} decimals, not {precision}")
    rounded: float = _THEIRS["round"](value, precision, method)
    return rounded


@pass_environment
def _sum(
    environment: Environment,
    value: Iterable[Any],
    attribute: str | int | None = None,
    start: float = 0,
) -> float:
    total = start
    for item in map(make_attrgetter(environment, attribute), value):
        fail_if_missing(item)
        for number in (total, item):
            if not isinstance(number, (int, float)):
                raise TypeError(f"sum needs numbers, not {kind_of(number)}; join joins texts")
        total += item
    return total


@pass_context
def _in(context: MeteredContext, value: Any, items: Any) -> bool:
    # As a test it may be asked once for each element of a list.
    context.spend(len(items) if isinstance(items, (list, Mapping)) else 1)
    return value in items


def _rest(value: Any, divisor: Any) -> float:
    """Return what division leaves over; Python's own % would format a text, to any width."""
    for number in (value, divisor):
        fail_if_missing(number)
        if not isinstance(number, (int, float)):
            raise TypeError(f"a test of divisibility needs a number, not {kind_of(number)}")
    rest: float = value % divisor
    return rest


def _odd(value: Any) -> bool:
    return _rest(value, 2) == 1


def _even(value: Any) -> bool:
    return _rest(value, 2) == 0


def _divisible_by(value: Any, divisor: Any) -> bool:
    return _rest(value, divisor) == 0


_OURS: Final[dict[str, _Filter]] = {
    "join": _join,
    "replace": _replace,
    "round": _round,
    "string": as_text,
    "sum": _sum,
    "tojson": as_json_text,
}


def _metered(call: _Filter) -> _Filter:
    # Jinja2's marks for what a filter is given before the value.
    given = getattr(getattr(call, "jinja_pass_arg", None), "name", None)

    @pass_context
    def metered(context: MeteredContext, *args: Any, **options: Any) -> Any:
        if isinstance(args[0], list):
            context.spend(len(args[0]))
        match given:
            case "context":
                made = call(context, *args, **options)
            case "environment":
                made = call(context.environment, *args, **options)
            case "eval_context":
                made = call(context.eval_ctx, *args, **options)
            case _:
                made = call(*args, **options)
        return _bounded(context, made)

    return metered


def _bounded(context: MeteredContext, made: Any) -> Any:
    if isinstance(made, (str, list)):
        context.spend(len(made))
    elif isinstance(made, Iterator):
        items: list[Any] = []
        for item in made:
            context.spend(1)
            items.append(item)
        return items
    elif isinstance(made, (int, float)):
        return within_bounds(made)
    return made


ALL_FILTERS: Final[dict[str, _Filter]] = {
    name: _metered(_OURS.get(name, _THEIRS[name])) for name in _NAMES
}
"""The filters that there are, by name."""

ALL_TESTS: Final[dict[str, _Filter]] = {
    **cast("dict[str, _Filter]", TESTS),
    "divisibleby": _divisible_by,
    "even": _even,
    "in": _in,
    "odd": _odd,
}
"""The tests that there are, by name: Jinja2's, but for those that can make or read much."""
