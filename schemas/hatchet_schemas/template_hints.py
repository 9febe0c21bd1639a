"""What people write in templates by habit, from Go or GitHub Actions, and what to write instead."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["hint"]

_HABITS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\$\{\{", "write {{ … }} without the dollar sign"),
        (r"&&", "write `and` for &&"),
        (r"\|\|", "write `or` for ||"),
        (r"!(?!=)", "write `not` for !"),
        (r"\{\{-?\s*index\s", 'write .a["b-c"] or .a.b-c for Go\'s index .a "b-c"'),
        (r"\bprintf\b", "printf is Go's: join texts with ~, or write them around {{ … }}"),
        (r"\{\{-?\s*(?:if|else|end|range|with)\b", "write {% if … %} … {% endif %} for Go's if"),
        (r"\{\{-?\s*(?:eq|ne|lt|le|gt|ge)\s", "write .a == .b for Go's eq .a .b"),
        (r"\{\{-?\s*(?:and|or)\s", "write .a and .b for Go's and .a .b"),
        (r"\{\{-?\s*len\s", "write .list | length for Go's len .list"),
        (r"\{\{-?\s*not\s+\(?(?:eq|ne)\b", "write .a != .b for Go's not (eq .a .b)"),
        (r"\|\s*\w+\s+[\"'.\w]", "write the arguments of a filter in parentheses"),
        (r"\{\{-?\s*/\*", "write {# … #} for a comment"),
        (r"\{\{-?\s*\$", "write {{ .name }}; variables with $ are Go's"),
        (r"\b(?:toJSON|toJson)\b", "the filter is called tojson"),
        (r"\b(?:fromJSON|fromJson)\b", "the filter is called fromjson"),
    )
)


def hint(source: str) -> str:
    """Return advice for a template that does not compile, beginning with ``"; "``, or nothing."""
    for habit, instead in _HABITS:
        if habit.search(source):
            return f"; {instead}"
    return ""
