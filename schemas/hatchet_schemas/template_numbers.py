"""The filters of templates that read and make numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, cast

from jinja2.filters import FILTERS

from hatchet_schemas.template_values import (
    CALL,
    MeteredContext,
    fail_if_missing,
    is_number,
    kind_of,
)

__all__ = ["NUMBER_FILTERS"]

_Filter = Callable[..., Any]
_THEIRS: Final = cast("dict[str, _Filter]", FILTERS)
_MAX_DECIMALS: Final = 15  # all that a double has
_MAX_DIGITS: Final = 1000  # CPython takes the square of their number to read them


def _abs(context: MeteredContext, value: float) -> float:  # noqa: ARG001 - the one convention
    return abs(value)


def _round(
    context: MeteredContext,  # noqa: ARG001 - the one convention
    value: float,
    precision: int = 0,
    method: Literal["common", "ceil", "floor"] = "common",
) -> float:
    if not -_MAX_DECIMALS <= precision <= _MAX_DECIMALS:
        raise ValueError(f"round keeps at most {_MAX_DECIMALS} decimals")
    rounded: float = _THEIRS["round"](value, precision, method)
    return rounded


def _int(context: MeteredContext, value: Any, default: Any = 0, base: int = 10) -> Any:
    text = _short(context, value)
    return default if text is None else _THEIRS["int"](text, default, base)


def _float(context: MeteredContext, value: Any, default: Any = 0.0) -> Any:
    text = _short(context, value)
    return default if text is None else _THEIRS["float"](text, default)


def _short(context: MeteredContext, value: Any) -> Any:
    """Return ``value``, but None for a text that has more digits than any number."""
    fail_if_missing(value)
    if isinstance(value, str):
        context.spend(CALL + len(value))  # what is no number is tried twice
        value = value.strip()
        return value if len(value) <= _MAX_DIGITS else None
    return value


def _filesizeformat(
    context: MeteredContext,  # noqa: ARG001 - the one convention
    value: Any,
    binary: bool = False,  # noqa: FBT001, FBT002 - Jinja2's argument
) -> str:
    fail_if_missing(value)
    if not is_number(value):
        raise TypeError(f"filesizeformat needs a number of bytes, not {kind_of(value)}")
    formatted: str = _THEIRS["filesizeformat"](value, binary)
    return formatted


NUMBER_FILTERS: Final[dict[str, _Filter]] = {
    "abs": _abs,
    "filesizeformat": _filesizeformat,
    "float": _float,
    "int": _int,
    "round": _round,
}
"""Filters by name; each takes the rendering before the value."""
