"""What keeps a source from being YAML, in our words and with its place."""

from __future__ import annotations

import re
from typing import Final

import yaml

__all__ = ["LINE_BREAK", "Mark", "YamlError", "decoded", "syntax_error", "unreadable"]

Mark = tuple[int, int]
"""Line and column, from 0; the column in characters."""

LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line for libyaml (YAML 1.1, section 5.4)."""

_BYTE_ORDER_MARK: Final = "\ufeff"
_UNREADABLE: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)
"""What libyaml's reader refuses (YAML 1.1, section 5.1)."""
_ADVICE: Final = (
    (
        "cannot start any token",
        "; indent with spaces, not tabs, and quote a value that starts with @, ` or %",
    ),
    ("tab character that violates", "; indent with spaces, not tabs"),
    ("mapping values are not allowed", "; quote a text that holds ': ', and check the indentation"),
    ("expected '-' indicator", "; indent all fields of an item of a list alike"),
    ("parsing a block mapping", "; indent all fields of a map alike"),
)


class YamlError(ValueError):
    """The source is not YAML as we take it; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, rule: str, mark: Mark = (0, 0)) -> None:
        self.message = message
        self.rule = rule
        self.line, self.column = mark[0] + 1, mark[1] + 1
        super().__init__(message)


def decoded(source: bytes) -> str:
    """Return the text of ``source``, which is UTF-8, without byte order marks at its start.

    Raises:
        YamlError: it is not UTF-8.

    """
    try:
        return source.decode().lstrip(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise YamlError(
            f"byte 0x{source[error.start]:02x} is not UTF-8: save the file as UTF-8",
            "yaml-syntax",
            _mark_behind(source[: error.start].decode().lstrip(_BYTE_ORDER_MARK)),
        ) from None


def syntax_error(error: yaml.MarkedYAMLError, last: yaml.Event | None) -> YamlError:
    """Return libyaml's finding about the syntax in our words; ``last`` is the event before it."""
    mark, begun, context = error.problem_mark, error.context_mark, error.context
    if context and begun and mark:
        if error.problem == "found unexpected end of stream":
            # Of a text without a closing quote, the start says more than the end of the file.
            mark, context = begun, f"{context} that is never closed"
        elif begun.line < mark.line:
            context = f"{context} that starts in line {begun.line + 1}"
    place = (mark.line, mark.column) if mark else (0, 0)
    words = ", ".join(part for part in (context, error.problem) if part)
    message = f"not valid YAML: {words}{_open_quote(last, place[0])}"
    message += next((advice for said, advice in _ADVICE if said in message), "")
    return YamlError(message, "yaml-syntax", place)


def _open_quote(last: yaml.Event | None, line: int) -> str:
    """Return a question where the error may be due to a text that ends at the next text's quote."""
    if not isinstance(last, yaml.ScalarEvent) or not last.style or last.style not in "'\"":
        return ""
    start, end = last.start_mark, last.end_mark
    if start is None or end is None or start.line == end.line or end.line != line:
        return ""
    return f"; is the quote that opens in line {start.line + 1}, column {start.column + 1} closed?"


def unreadable(text: str, error: yaml.reader.ReaderError) -> YamlError:
    """Return what libyaml's reader found in ``text`` in our words."""
    # Its positions are in bytes or characters by turns: look for ourselves.
    found = _UNREADABLE.search(text)
    mark = _mark_behind(text[: found.start()] if found else "")
    return YamlError(f"not valid YAML: {error.reason}", "yaml-syntax", mark)


def _mark_behind(text: str) -> Mark:
    lines = LINE_BREAK.split(text)
    return len(lines) - 1, len(lines[-1])
