"""The filters of templates that compare the elements of a list with each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from jinja2.exceptions import FilterArgumentError

from hatchet_schemas.template_reading import STEP, Attribute, field_of, items_of, pairs_of
from hatchet_schemas.template_values import CALL, MeteredContext, fail_if_missing

__all__ = ["ORDER_FILTERS"]

_Filter = Callable[..., Any]


def _keys(
    context: MeteredContext, values: list[Any], attribute: Attribute, *, case_sensitive: bool
) -> list[Any]:
    """Return what ``values`` are compared by, and count it."""
    field = field_of(context, attribute)
    return [_key(context, field(value), case_sensitive=case_sensitive) for value in values]


def _key(context: MeteredContext, value: Any, *, case_sensitive: bool) -> Any:
    fail_if_missing(value)
    context.spend(STEP)
    context.meter.read(value)
    return value.lower() if isinstance(value, str) and not case_sensitive else value


def _order(context: MeteredContext, keys: list[Any], *, reverse: bool) -> list[int]:
    """Return the positions of ``keys`` in their order; each is compared with log n others."""
    context.spend(CALL)
    before = context.meter.room
    context.meter.read(keys)
    context.spend((before - context.meter.room) * len(keys).bit_length() // 4)
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def _sort(
    context: MeteredContext,
    value: Any,
    reverse: bool = False,  # noqa: FBT001, FBT002 - Jinja2's arguments, here and below
    case_sensitive: bool = False,  # noqa: FBT001, FBT002
    attribute: Attribute = None,
) -> list[Any]:
    values = items_of(context, value)
    fields = attribute.split(",") if isinstance(attribute, str) else [attribute]
    columns = [_keys(context, values, field, case_sensitive=case_sensitive) for field in fields]
    keys = [list(row) for row in zip(*columns, strict=True)] if len(columns) > 1 else columns[0]
    return [values[position] for position in _order(context, keys, reverse=bool(reverse))]


def _dictsort(
    context: MeteredContext,
    value: Any,
    case_sensitive: bool = False,  # noqa: FBT001, FBT002
    by: Literal["key", "value"] = "key",
    reverse: bool = False,  # noqa: FBT001, FBT002
) -> list[Any]:
    if by not in {"key", "value"}:
        raise FilterArgumentError('You can only sort by either "key" or "value"')
    pairs = pairs_of(context, value)
    keys = _keys(context, pairs, 0 if by == "key" else 1, case_sensitive=case_sensitive)
    return [pairs[position] for position in _order(context, keys, reverse=bool(reverse))]


def _groupby(
    context: MeteredContext,
    value: Any,
    attribute: str | int,
    default: Any = None,
    case_sensitive: bool = False,  # noqa: FBT001, FBT002
) -> list[dict[str, Any]]:
    values = items_of(context, value)
    groupers = list(map(field_of(context, attribute, default), values))
    keys = [_key(context, grouper, case_sensitive=case_sensitive) for grouper in groupers]
    groups: list[dict[str, Any]] = []
    last: Any = None
    for position in _order(context, keys, reverse=False):
        context.spend(STEP)
        if not groups or keys[position] != last:
            groups.append({"grouper": groupers[position], "list": []})
        groups[-1]["list"].append(values[position])
        last = keys[position]
    return groups


def _unique(
    context: MeteredContext,
    value: Any,
    case_sensitive: bool = False,  # noqa: FBT001, FBT002
    attribute: Attribute = None,
) -> list[Any]:
    values = items_of(context, value)
    keys = _keys(context, values, attribute, case_sensitive=case_sensitive)
    firsts: dict[Any, Any] = {}
    for key, item in zip(keys, values, strict=True):
        firsts.setdefault(key, item)
    return list(firsts.values())


def _extreme(choose: Callable[..., int], name: str) -> _Filter:
    def extreme(
        context: MeteredContext,
        value: Any,
        case_sensitive: bool = False,  # noqa: FBT001, FBT002
        attribute: Attribute = None,
    ) -> Any:
        values = items_of(context, value)
        if not values:
            return context.environment.undefined(f"{name} of nothing: the sequence was empty")
        keys = _keys(context, values, attribute, case_sensitive=case_sensitive)
        return values[choose(range(len(keys)), key=keys.__getitem__)]

    return extreme


ORDER_FILTERS: Final[dict[str, _Filter]] = {
    "dictsort": _dictsort,
    "groupby": _groupby,
    "max": _extreme(max, "max"),
    "min": _extreme(min, "min"),
    "sort": _sort,
    "unique": _unique,
}
"""Filters by name; each takes the rendering before the value."""
