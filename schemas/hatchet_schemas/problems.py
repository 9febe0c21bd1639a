"""Problems in workflow files, as values: collected first, reported together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hatchet_schemas.rules import Severity, severity_of

__all__ = ["Finding", "Problem", "excerpt_of"]

_MAX_EXCERPT_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a workflow at ``loc``, before it is known where that stands in a file.

    ``loc`` leads there through field names and indices. It is the field's name that is wrong
    where ``at_key``, else its value; ``offset`` is where inside a text, in characters.
    """

    loc: tuple[str | int, ...]
    message: str
    rule: str
    at_key: bool = False
    offset: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where.

    ``line`` and ``column`` count from 1, the column in characters. ``rule`` is a stable name for
    the kind of problem, one of `hatchet_schemas.rules.RULES`. ``excerpt`` is the line of the file,
    without its end, for showing a caret.
    """

    path: str
    line: int
    column: int
    message: str
    rule: str
    excerpt: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is: whether the file loads all the same."""
        return severity_of(self.rule)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message} [{self.rule}]"

    def with_caret(self) -> str:
        """Return the problem with the line it stands on and a caret under the column."""
        if not self.excerpt:
            return str(self)
        # Tabs keep their width in the pointing line, so that the caret stays in place.
        indent = "".join("\t" if char == "\t" else " " for char in self.excerpt[: self.column - 1])
        return f"{self}\n    {self.excerpt}\n    {indent}^"


def excerpt_of(line: str) -> str:
    """Return what to show of a line: its start, without what could steer a terminal."""
    # One character for each, so that columns stay.
    return "".join(
        char if char.isprintable() or char == "\t" else "\ufffd"
        for char in line[:_MAX_EXCERPT_CHARACTERS]
    )
