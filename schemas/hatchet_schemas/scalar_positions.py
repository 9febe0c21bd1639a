"""Where inside a YAML scalar a character of its value stands.

What YAML leaves out of a value or adds to it is white space, quotes and escapes (YAML 1.2.2,
chapters 5.7, 7.3 and 8.1). So the visible characters of a value are found by counting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["mark_inside"]

_ESCAPE: Final = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[^\n]|\n)", re.DOTALL
)
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")
_INVISIBLE_ESCAPES: Final = frozenset("\\" + char for char in "abtnvfre 0N_LP\t\n")


def mark_inside(
    lines: Sequence[str], start: tuple[int, int], style: str | None, value: str, offset: int
) -> tuple[int, int]:
    """Return line and column, from 0, of the visible character at ``offset`` in ``value``.

    Where none follows, it is the place behind the last one.

    ``lines`` is the whole file, ``start`` where the scalar begins in it, its quote or block sign
    included, and ``style`` that sign, None or empty for a plain scalar.
    """
    wanted = sum(not char.isspace() for char in value[:offset])
    at_end = not value[offset:].strip()
    line, column = start
    column = _skip_properties(lines[line], column)
    if style in {"'", '"'}:
        column += 1
    elif style in {"|", ">"}:
        line, column = line + 1, 0
    seen = 0
    while line < len(lines):
        text = lines[line]
        while column < len(text):
            width, visible = _unit(text, column, style)
            if visible and seen == wanted:
                return line, column
            seen += visible
            column += width
            if visible and at_end and seen == wanted:
                return line, column
        line, column = line + 1, 0
    return start


def _skip_properties(text: str, column: int) -> int:
    """Return where a scalar begins behind its anchor and its tag."""
    properties = _PROPERTIES.match(text, column)
    return properties.end() if properties else column


def _unit(text: str, column: int, style: str | None) -> tuple[int, bool]:
    """Return how many characters of source the next one of the value takes; whether it is seen."""
    if style == '"' and text[column] == "\\":
        escape = _ESCAPE.match(text, column)
        if escape is None:  # at a line's end: it joins the lines
            return 1, False
        return len(escape.group()), escape.group() not in _INVISIBLE_ESCAPES
    if style == "'" and text.startswith("''", column):
        return 2, True
    return 1, not text[column].isspace()
