"""Templates of plain paths alone, whose references are found without Jinja2: most are such.

Checking a file needs to know what its templates read. Jinja2's lexer and parser take ten times as
long for that as the YAML parser does for the whole file, so they read what is more than plain.
"""

from __future__ import annotations

import re
from typing import Final

from hatchet_schemas.references import Reference
from hatchet_schemas.template_filters import ALL_FILTERS, misfit

__all__ = ["plain_references"]

_NAME: Final = r"\.[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"
# Those that allow for a missing field are not plain, nor are those that need an argument.
_FILTERS: Final = "|".join(
    name
    for name, call in ALL_FILTERS.items()
    if name not in {"default", "d"} and misfit(call) is None
)
_PLAIN: Final = re.compile(
    rf"(?<!\{{)\{{\{{[ \t\n]*((?:{_NAME}){{1,16}})"
    rf"(?:[ \t\n]*\|[ \t\n]*(?:{_FILTERS})\b){{0,4}}[ \t\n]*\}}\}}"
)
_PART: Final = re.compile(r"[^.]+")
_OPENING: Final = re.compile(r"\{[{%#]|\r")  # Jinja2 counts \r\n as one character


def plain_references(text: str) -> tuple[Reference, ...] | None:
    """Return what ``text`` reads, in no particular order; None where it is more than plain paths.

    Plain is ``{{ .a.b-c.d }}`` and ``{{ .a | upper }}``, with any text around, any number of times.
    """
    if _OPENING.search(_PLAIN.sub(" ", text)):
        return None
    return tuple(
        Reference(
            tuple(path[1].split(".")[1:]),
            tuple(part.start() for part in _PART.finditer(text, *path.span(1))),
        )
        for path in _PLAIN.finditer(text)
    )
