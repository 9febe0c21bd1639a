"""The words of templates: Jinja2's, and names with hyphens, and paths that start with a dot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError
from jinja2 import lexer as jinja2_lexer

from hatchet_schemas.template_values import ROOT

__all__ = ["TemplateLexer"]

_PLAIN_NAME: Final[re.Pattern[str]] = vars(jinja2_lexer)["name_re"]
_HYPHENATED_NAME: Final = re.compile(r"[^\W\d]\w*(?:-\w+)*")

# Text after which a dot goes on with a path; after anything else it starts one.
_PATH_END: Final = re.compile(r"[\w)\]}'\"]\Z")
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "is", "if", "elif", "else"})
_MAX_TOKENS: Final = 6000  # a token takes up to 10 µs to read


class TemplateLexer(jinja2_lexer.Lexer):
    """Jinja2's lexer with three differences.

    Names may hold hyphens, and a dot may start a path; both are said in Jinja2's own terms:
    ``.steps.step-1.id`` becomes ``root__.steps['step-1'].id``. And what Jinja2 takes for line
    numbers, in tokens, nodes and errors, are offsets: characters from the start of the template.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.rules = {
            state: [
                rule._replace(pattern=_HYPHENATED_NAME) if rule.pattern is _PLAIN_NAME else rule
                for rule in rules
            ]
            for state, rules in self.rules.items()
        }

    def tokeniter(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,
    ) -> Iterator[tuple[int, str, str]]:
        """Yield the raw tokens: offset, kind and text."""
        before = ""  # the last word or operator
        dot = False  # a dot is held back until it is known what follows
        spaced = False
        count = 0
        for offset, kind, text in self._with_offsets(source, name, filename, state):
            count += kind != "whitespace"
            if count > _MAX_TOKENS:
                raise TemplateSyntaxError(
                    f"a template has at most {_MAX_TOKENS} words and signs", offset
                )
            if kind == "whitespace":
                yield offset, kind, text
                spaced = True
                continue
            hyphenated = kind == "name" and "-" in text
            if dot and not hyphenated:
                yield offset, "operator", "."
            dot = kind == "operator" and text == "."
            starts_path = spaced or not _PATH_END.search(before) or before in _KEYWORDS
            if (dot and starts_path) or (hyphenated and before not in {".", "|"}):
                yield offset, "name", ROOT
            if hyphenated:
                yield offset, "operator", "["
                yield offset, "string", repr(text)
                yield offset, "operator", "]"
            elif not dot:
                yield offset, kind, text
            before = _as_context(before, kind, text)
            spaced = False
        # A template ends with a closing brace or text, never with a dot held back.

    def _with_offsets(
        self, source: str, name: str | None, filename: str | None, state: str | None
    ) -> Iterator[tuple[int, str, str]]:
        position = 0
        try:
            for _, kind, text in super().tokeniter(source, name, filename, state):
                # White space may be left out between tokens, never anything else.
                offset = max(source.find(text, position), position)
                yield offset, kind, text
                position = offset + len(text)
        except TemplateSyntaxError as error:
            error.lineno = position
            raise


def _as_context(before: str, kind: str, text: str) -> str:
    """Return ``text`` as the word before the next one, told from keywords and tests."""
    if kind == "name" and before == ".":
        return "field"  # whatever it spells: in .order.in.id no path starts behind "in"
    if kind == "name" and before == "is":
        return "is" if text == "not" else "test:"  # a path may follow: x is eq .y
    return text
