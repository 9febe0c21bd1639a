"""The filters of templates that read a text and make one; other values are read as JSON."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from jinja2.exceptions import FilterArgumentError
from jinja2.filters import FILTERS

from hatchet_schemas.template_comparisons import spend_on_search
from hatchet_schemas.template_reading import text_of
from hatchet_schemas.template_values import (
    CALL,
    MeteredContext,
    as_json_text,
    as_text,
    fail_if_missing,
    is_number,
)

__all__ = ["TEXT_FILTERS"]

_Filter = Callable[..., Any]
_THEIRS: Final = cast("dict[str, _Filter]", FILTERS)

_WORD: Final = re.compile(r"\w+")
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")
_DIRECTIVE: Final = re.compile(
    r"%(?:\((?P<key>[^()%]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?"
    r"(?P<kind>[diouxXeEfFgGcrsa%])"
)
_MAX_FORMAT_WIDTH: Final = 1000  # characters
_MAX_WIDTH_DIGITS: Final = 4
_TRIMMED_AT_ONCE: Final = 32  # characters to trim, compared for one of the meter
_COPIED_AT_ONCE: Final = 256  # characters that are copied for one of the meter
_LINE: Final = 16  # what one line costs


def _simple(change: Callable[[str], str], cost: int = 1) -> _Filter:
    def text_filter(context: MeteredContext, value: Any) -> str:
        return change(text_of(context, value, cost))

    return text_filter


def _center(context: MeteredContext, value: Any, width: int = 80) -> str:
    text = text_of(context, value)
    context.spend(max(0, width - len(text)))
    return text.center(width)


def _indent(
    context: MeteredContext,
    value: Any,
    width: int | str = 4,
    first: bool = False,  # noqa: FBT001, FBT002 - Jinja2's arguments, here and below
    blank: bool = False,  # noqa: FBT001, FBT002
) -> str:
    text = text_of(context, value)
    lines = f"{text}\n".splitlines()
    size = len(width) if isinstance(width, str) else width
    if size < 0:
        raise ValueError("indent needs a width from 0 on")
    context.spend((len(lines) + 1) * (_LINE + size))
    indention = width if isinstance(width, str) else " " * width
    return "\n".join(
        f"{indention}{line}" if (first if number == 0 else line or blank) else line
        for number, line in enumerate(lines)
    )


def _wordwrap(
    context: MeteredContext,
    value: Any,
    width: int = 79,
    break_long_words: bool = True,  # noqa: FBT001, FBT002
    wrapstring: Any = "\n",
    break_on_hyphens: bool = True,  # noqa: FBT001, FBT002
) -> str:
    text = text_of(context, value, cost=6 + 24 // max(1, width))
    end = text_of(context, wrapstring)
    wrapped: list[str] = []
    for line in text.splitlines():
        # The standard library copies all that is left of a long word for each line of it.
        longest = max(map(len, line.split()), default=0)
        context.spend(CALL // 2 + len(line) * longest // (max(1, width) * _COPIED_AT_ONCE))
        lines = textwrap.wrap(
            line,
            width=width,
            expand_tabs=False,
            replace_whitespace=False,
            break_long_words=break_long_words,
            break_on_hyphens=break_on_hyphens,
        )
        wrapped.extend(lines or [""])
    context.spend(len(end) * len(wrapped))
    return end.join(wrapped)


def _truncate(
    context: MeteredContext,
    value: Any,
    length: int = 255,
    killwords: bool = False,  # noqa: FBT001, FBT002
    end: Any = "...",
    leeway: int | None = None,
) -> str:
    text, tail = text_of(context, value), text_of(context, end)
    cut: str = _THEIRS["truncate"](context.environment, text, length, killwords, tail, leeway)
    return cut


def _trim(context: MeteredContext, value: Any, chars: str | None = None) -> str:
    text = text_of(context, value)
    if chars is not None:
        context.spend(len(chars) + len(text) * (len(chars) // _TRIMMED_AT_ONCE))
    return text.strip(chars)


def _wordcount(context: MeteredContext, value: Any) -> int:
    return sum(1 for _ in _WORD.finditer(text_of(context, value, cost=4)))


def _replace(
    context: MeteredContext, value: Any, old: Any, new: Any, count: int | None = None
) -> str:
    text, before, after = (text_of(context, part) for part in (value, old, new))
    for _ in range(2):  # once to count, once to replace
        spend_on_search(context, text, before)
    times = text.count(before) if count is None or count < 0 else min(count, text.count(before))
    context.spend(len(text) + times * (1 + max(0, len(after) - len(before))))
    return text.replace(before, after, times)


def _slugify(context: MeteredContext, value: Any) -> str:
    """Return the words of a text in a-z and 0-9, joined by hyphens: "Crème brûlée" is creme-brulee.

    Letters that have no such form, as those of other scripts, are left out.
    """
    text = text_of(context, value, cost=8).casefold()
    # One by one: to put a long row of accents in order takes the square of their number.
    plain = "".join(unicodedata.normalize("NFKD", letter) for letter in text)
    return _NO_SLUG.sub("-", plain.encode("ascii", "ignore").decode().lower()).strip("-")


def _format(context: MeteredContext, value: Any, *args: Any, **options: Any) -> str:
    if args and options:
        raise FilterArgumentError("can't handle positional and keyword arguments at the same time")
    return "".join(_formatted(context, text_of(context, value), args, options))


def _formatted(
    context: MeteredContext, text: str, args: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[str]:
    rest = iter(args)
    position = 0
    while (start := text.find("%", position)) >= 0:
        context.spend(CALL)
        found = _DIRECTIVE.match(text, start)
        if found is None:
            raise ValueError(f"format knows no such directive as the one at character {start}")
        yield text[position:start]
        position = found.end()
        piece = "%" if found["kind"] == "%" else _directive(context, found, rest, options)
        context.spend(len(piece))
        yield piece
    if next(rest, None) is not None:
        raise TypeError("format was given more values than the text has room for")
    yield text[position:]


def _directive(
    context: MeteredContext, found: re.Match[str], rest: Iterator[Any], options: dict[str, Any]
) -> str:
    for number in (found["width"], found["precision"] or ""):
        if len(number) > _MAX_WIDTH_DIGITS or int(number or 0) > _MAX_FORMAT_WIDTH:
            raise ValueError(f"format makes a value at most {_MAX_FORMAT_WIDTH} characters wide")
    key = found["key"]
    value = next(rest, _NONE) if key is None else options.get(key, _NONE)
    if value is _NONE:
        raise TypeError("format was given fewer values than the text has room for")
    fail_if_missing(value)
    kind = found["kind"]
    if kind in "rsa":
        value = as_text(value, context.meter) if kind == "s" else as_json_text(value, context.meter)
        kind = "s"
    elif kind != "c" and not is_number(value):
        raise TypeError(f"format needs a number for %{kind}; %s takes any value")
    precision = "" if found["precision"] is None else f".{found['precision']}"
    directive: str = f"%{found['flags']}{found['width']}{precision}{kind}"
    return directive % (value,)


_NONE: Final = object()

TEXT_FILTERS: Final[dict[str, _Filter]] = {
    "capitalize": _simple(str.capitalize, cost=2),
    "center": _center,
    "format": _format,
    "indent": _indent,
    "lower": _simple(str.lower, cost=2),
    "replace": _replace,
    "safe": _simple(str),
    "slugify": _slugify,
    "string": _simple(str),
    "title": _simple(_THEIRS["title"], cost=16),
    "trim": _trim,
    "truncate": _truncate,
    "upper": _simple(str.upper, cost=2),
    "wordcount": _wordcount,
    "wordwrap": _wordwrap,
}
"""Filters by name; each takes the rendering before the value."""
