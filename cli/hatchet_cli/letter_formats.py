"""How dead letters are printed, for the command line to know before it loads anything."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["LetterOutput"]


class LetterOutput(StrEnum):
    """How letters are printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
