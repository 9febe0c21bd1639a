"""How the filters of templates read what they are given, each reading counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from hatchet_schemas.template_values import (
    CALL,
    ELEMENT,
    MeteredContext,
    Missing,
    as_text,
    fail_if_missing,
    kind_of,
)

__all__ = ["STEP", "Attribute", "field_of", "items_of", "pairs_of", "text_of"]

Attribute = str | int | None
"""A path such as ``user.address.0``, as filters take it; None is the value itself."""

STEP: Final = 32
"""What one step of a path costs for one element, and a small list that is made."""

_MAX_INDEX_DIGITS: Final = 18


def text_of(context: MeteredContext, value: Any, cost: int = 1) -> str:
    """Return ``value`` as a text that takes ``cost`` for each character to work on."""
    fail_if_missing(value)
    text = as_text(value, context.meter)
    context.spend(cost * len(text))
    return text


def items_of(context: MeteredContext, value: Any) -> list[Any]:
    """Return the elements of a list, the keys of a map, the characters of a text."""
    fail_if_missing(value)
    if not isinstance(value, (list, Mapping, str)):
        raise TypeError(f"a list is needed, not {kind_of(value)}")
    context.spend(ELEMENT * len(value))
    return value if isinstance(value, list) else list(cast("Iterable[Any]", value))


def field_of(
    context: MeteredContext, attribute: Attribute, default: Any = None
) -> Callable[[Any], Any]:
    """Return a function that follows a path such as ``user.address.0``."""
    if attribute is None:
        return lambda item: item
    path: list[str | int] = [attribute]
    if isinstance(attribute, str):
        context.spend(len(attribute))
        path = [_step(part) for part in attribute.split(".")]
    cost = STEP * len(path)

    def field(item: Any) -> Any:
        context.spend(cost)
        for part in path:
            item = context.environment.getitem(item, part)
        if isinstance(item, Missing):
            context.spend(CALL)
            return item if default is None else default
        return item

    return field


def _step(part: str) -> str | int:
    is_index = part.isascii() and part.isdecimal() and len(part) <= _MAX_INDEX_DIGITS
    return int(part) if is_index else part


def pairs_of(context: MeteredContext, value: Any) -> list[Any]:
    """Return the keys and values of a map as lists of two."""
    fail_if_missing(value)
    if not isinstance(value, Mapping):
        raise TypeError(f"{kind_of(value)} has no attribute 'items': a map is needed")
    context.spend(2 * ELEMENT * len(value))
    return [list(pair) for pair in value.items()]
