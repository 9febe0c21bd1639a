"""Where inside a YAML scalar a character of its value stands.

What YAML leaves out of a value or adds to it is white space, quotes and escapes (YAML 1.2.2,
chapters 5.7, 7.3 and 8.1). So the visible characters of a value are found by counting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["mark_inside"]

_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.)")
_ESCAPED_SPACES: Final = frozenset("tnvfr NLP_\t")
"""What stands behind the backslash of an escape for white space (YAML 1.2.2, chapter 5.7)."""

_PROPERTY: Final = re.compile(r"[&!]\S*")


def mark_inside(
    lines: Sequence[str], start: tuple[int, int], style: str | None, value: str, offset: int
) -> tuple[int, int]:
    """Return line and column, from 0, of the visible character at ``offset`` in ``value``.

    Where none follows, it is the place behind the last one.

    ``lines`` is the whole file, ``start`` where the scalar begins in it, its anchor, its tag and
    its quote or block sign included, and ``style`` that sign, None or empty for a plain scalar.
    """
    wanted = sum(not char.isspace() for char in value[:offset])
    at_end = not value[offset:].strip()
    line, column = _behind_properties(lines, *start)
    if style in {"'", '"'}:
        column += 1
    elif style in {"|", ">"}:
        line, column = line + 1, 0
    seen = 0
    while line < len(lines):
        text = lines[line]
        while column < len(text):
            width, visible = _unit(text, column, style)
            if visible and seen == wanted and not at_end:
                return line, column
            seen += visible
            column += width
            if visible and seen == wanted and at_end:
                return line, column
        line, column = line + 1, 0
    return start


def _behind_properties(lines: Sequence[str], line: int, column: int) -> tuple[int, int]:
    """Return where a scalar itself begins: behind its anchor and its tag, on a later line even."""
    while line < len(lines):
        text = lines[line]
        while column < len(text) and text[column].isspace():
            column += 1
        found = _PROPERTY.match(text, column)
        if found is not None:
            column = found.end()
        elif column < len(text) and text[column] != "#":
            break
        else:
            line, column = line + 1, 0
    return line, column


def _unit(text: str, column: int, style: str | None) -> tuple[int, bool]:
    """Return how many characters of source the next one of the value takes; whether it is seen."""
    if style == '"' and text[column] == "\\":
        escape = _ESCAPE.match(text, column)
        if escape is None:  # at a line's end: it joins the lines
            return 1, False
        digits = escape[1] or escape[2] or escape[3]
        if digits is None:
            return 2, escape[0][1] not in _ESCAPED_SPACES
        return len(escape[0]), not chr(int(digits, 16)).isspace()
    if style == "'" and text.startswith("''", column):
        return 2, True
    return 1, not text[column].isspace()
