"""The filters and tests of templates: those of Jinja2 for JSON data, each of them bounded.

Left out is `random`, which draws lots; added are a few that encode and decode. What they read and
make is counted, what they make is JSON data, and what they write is spelt as JSON does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, update_wrapper
from inspect import signature
from typing import Any, Final

from jinja2 import pass_context

from hatchet_schemas.template_codecs import CODECS
from hatchet_schemas.template_comparisons import COMPARISONS, TESTS
from hatchet_schemas.template_lists import LIST_FILTERS
from hatchet_schemas.template_numbers import NUMBER_FILTERS
from hatchet_schemas.template_orders import ORDER_FILTERS
from hatchet_schemas.template_texts import TEXT_FILTERS
from hatchet_schemas.template_values import CALL, MeteredContext, is_number, within_bounds

__all__ = ["ALL_FILTERS", "ALL_TESTS", "INNER_FILTERS", "misfit"]

_Filter = Callable[..., Any]


def _metered(name: str, call: _Filter) -> _Filter:
    @pass_context
    def metered(context: MeteredContext, *args: Any, **options: Any) -> Any:
        context.spend(CALL)
        made = call(context, *args, **options)
        if isinstance(made, (str, list)):
            context.spend(len(made))
        elif is_number(made):
            return within_bounds(made)
        return made

    update_wrapper(metered, call, assigned=("__doc__",), updated=())
    call.__qualname__ = name  # what Python calls it where an argument is missing
    return metered


def _all(filters: dict[str, _Filter]) -> dict[str, _Filter]:
    return {name: _metered(name, call) for name, call in sorted(filters.items())}


def misfit(call: _Filter, args: Sequence[object] = (), names: Iterable[str] = ()) -> str | None:
    """Return why a filter or test does not take these arguments, and others by these names."""
    try:
        # Called with the rendering and the value first.
        _signature(call).bind(None, None, *args, **dict.fromkeys(names))
    except TypeError as error:
        return str(error)
    return None


_signature: Final = cache(signature)

ALL_FILTERS: Final[dict[str, _Filter]] = _all(
    {**CODECS, **LIST_FILTERS, **NUMBER_FILTERS, **ORDER_FILTERS, **TEXT_FILTERS}
)
"""The filters that there are, by name."""

INNER_FILTERS: Final[dict[str, _Filter]] = _all(COMPARISONS)
"""What comparisons and slices in brackets are compiled to; no template can name them."""

ALL_TESTS: Final[dict[str, _Filter]] = _all(TESTS)
"""The tests that there are, by name."""
