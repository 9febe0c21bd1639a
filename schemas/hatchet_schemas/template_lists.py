"""The filters of templates that read lists and maps, and those that look at any value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2.exceptions import FilterArgumentError

from hatchet_schemas.template_reading import STEP, Attribute, field_of, items_of, pairs_of
from hatchet_schemas.template_values import (
    ELEMENT,
    MeteredContext,
    Missing,
    as_text,
    fail_if_missing,
    is_number,
    kind_of,
)

__all__ = ["LIST_FILTERS"]

_Filter = Callable[..., Any]


def _sum(
    context: MeteredContext, value: Any, attribute: Attribute = None, start: float = 0
) -> float:
    total = start
    field = field_of(context, attribute)
    for item in map(field, items_of(context, value)):
        fail_if_missing(item)
        for number in (total, item):
            if not is_number(number):
                raise TypeError(f"sum needs numbers, not {kind_of(number)}; join joins texts")
        context.spend(ELEMENT)
        total += item
    return total


def _map(context: MeteredContext, value: Any, *args: Any, **options: Any) -> list[Any]:
    if args:
        call = _call(context.environment.call_filter, context.environment.filters, *args)
        return [call(context, item, options) for item in items_of(context, value)]
    if "attribute" not in options:
        raise FilterArgumentError("map needs the name of a filter, or attribute='…'")
    field = field_of(context, options.pop("attribute"), options.pop("default", None))
    if options:
        raise FilterArgumentError(f"map has no argument {next(iter(options))!r}")
    return list(map(field, items_of(context, value)))


def _call(call: _Filter, named: Mapping[str, Any], name: Any, *args: Any) -> _Filter:
    if not isinstance(name, str) or name not in named or name.endswith("__"):
        # The name may be data, and data has no business in messages.
        raise FilterArgumentError("map and select need the name of a filter or test that there is")

    def called(context: MeteredContext, item: Any, options: dict[str, Any]) -> Any:
        return call(name, item, args, options, context)

    return called


def _truth(_context: MeteredContext, item: Any, _options: dict[str, Any]) -> bool:
    return bool(item)


def _selection(*, kept: bool, by_field: bool) -> _Filter:
    def select(context: MeteredContext, value: Any, *args: Any, **options: Any) -> list[Any]:
        field = field_of(context, None)
        if by_field:
            if not args:
                raise FilterArgumentError("Missing parameter for attribute name")
            field, args = field_of(context, args[0]), args[1:]
        check: _Filter = _truth
        if args:
            check = _call(context.environment.call_test, context.environment.tests, *args)
        return [
            item
            for item in items_of(context, value)
            if bool(check(context, field(item), options)) is kept
        ]

    return select


def _join(context: MeteredContext, value: Any, d: Any = "", attribute: Attribute = None) -> str:
    field = field_of(context, attribute)
    separator = as_text(d, context.meter)
    parts: list[str] = []
    for item in items_of(context, value):
        parts.append(as_text(field(item), context.meter))
        context.spend(2 * ELEMENT + len(parts[-1]) + len(separator))
    return separator.join(parts)


def _whole(number: Any, what: str) -> int:
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{what} needs a whole number from 1 on")
    return number


def _batch(
    context: MeteredContext, value: Any, linecount: int, fill_with: Any = None
) -> list[list[Any]]:
    size = _whole(linecount, "batch")
    values = items_of(context, value)
    context.spend(STEP * (len(values) // size))
    batches = [values[start : start + size] for start in range(0, len(values), size)]
    if batches and fill_with is not None:
        short = size - len(batches[-1])
        context.spend(short)
        batches[-1] += [fill_with] * short
    return batches


def _slice(
    context: MeteredContext, value: Any, slices: int, fill_with: Any = None
) -> list[list[Any]]:
    count = _whole(slices, "slice")
    values = items_of(context, value)
    context.spend(STEP * count)
    size, longer = divmod(len(values), count)
    made: list[list[Any]] = []
    start = 0
    for number in range(count):
        stop = start + size + (number < longer)
        made.append(values[start:stop])
        if fill_with is not None and number >= longer:
            made[-1].append(fill_with)
        start = stop
    return made


def _first(context: MeteredContext, value: Any) -> Any:
    return _end(context, value, "first", lambda items: next(iter(items)))


def _last(context: MeteredContext, value: Any) -> Any:
    return _end(context, value, "last", lambda items: next(reversed(items)))


def _end(context: MeteredContext, value: Any, name: str, end: Callable[[Any], Any]) -> Any:
    fail_if_missing(value)
    if not isinstance(value, (list, Mapping, str)):
        raise TypeError(f"a list is needed, not {kind_of(value)}")
    if not value:
        return context.environment.undefined(f"{name} of nothing: the sequence was empty")
    return end(value)


def _reverse(context: MeteredContext, value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else items_of(context, value)[::-1]


def _list(context: MeteredContext, value: Any) -> list[Any]:
    return list(items_of(context, value))


def _length(context: MeteredContext, value: Any) -> int:  # noqa: ARG001 - the one convention
    return len(value)


def _attr(context: MeteredContext, value: Any, name: Any) -> Any:
    return context.environment.getitem(value, name)


def _default(
    context: MeteredContext,  # noqa: ARG001 - the one convention
    value: Any,
    default_value: Any = "",
    boolean: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    return default_value if isinstance(value, Missing) or (boolean and not value) else value


LIST_FILTERS: Final[dict[str, _Filter]] = {
    "attr": _attr,
    "batch": _batch,
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _first,
    "items": pairs_of,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": _list,
    "map": _map,
    "reject": _selection(kept=False, by_field=False),
    "rejectattr": _selection(kept=False, by_field=True),
    "reverse": _reverse,
    "select": _selection(kept=True, by_field=False),
    "selectattr": _selection(kept=True, by_field=True),
    "slice": _slice,
    "sum": _sum,
}
"""Filters by name; each takes the rendering before the value."""
