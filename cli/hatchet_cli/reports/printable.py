"""Texts from files and events, made safe and short enough for a terminal."""

from __future__ import annotations

import json
import os
from typing import Any, TextIO

__all__ = ["as_json", "colors_wanted", "cut", "printable"]


def printable(text: str) -> str:
    """Return ``text`` with an escape in place of each character that could steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def colors_wanted(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that has colours, and its user wants them."""
    # https://no-color.org: whatever its value, if it has one.
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def as_json(value: Any, width: int) -> str:
    """Return ``value`` as JSON on one line, cut at ``width`` characters."""
    # JSON's own escapes cover line ends; what is left are marks such as those of direction.
    return cut(printable(json.dumps(value, ensure_ascii=False)), width)


def cut(text: str, width: int) -> str:
    """Return ``text``, or as much of its start as fits into ``width`` characters."""
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"
