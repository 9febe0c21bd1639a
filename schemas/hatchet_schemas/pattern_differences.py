"""Where a pattern and a key that it does not match part ways, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hatchet_schemas.patterns import tokens

__all__ = ["difference"]

_STAR: Final = "*"
_HASH: Final = "#"

_Token = tuple[str, str]


def difference(pattern: str, key: str) -> str:
    """Return the first thing that keeps ``pattern`` from matching ``key``, which it does not."""
    wanted, given = tokens(pattern), tokens(key)
    for position, (separator, word) in enumerate(wanted):
        if word == _HASH:
            return _difference_at_end(wanted[position:], given[position:], len(given))
        if position == len(given):
            return f"the key ends where the pattern goes on with {_joined(wanted[position:])!r}"
        found_separator, found = given[position]
        if separator != found_separator:
            return f"before {found!r} the key has {found_separator!r}, the pattern {separator!r}"
        if word not in {_STAR, found}:
            return _words_differ(position + 1, found, word)
    return f"the key goes on with {_joined(given[len(wanted) :])!r} where the pattern ends"


def _difference_at_end(wanted: Sequence[_Token], given: Sequence[_Token], count: int) -> str:
    """Compare from behind, up to the last ``#``: any words may stand where it does."""
    for offset, (_, word) in enumerate(reversed(wanted)):
        if word == _HASH or offset >= len(given):
            break
        found = given[-1 - offset][1]
        if word not in {_STAR, found}:
            return _words_differ(count - offset, found, word)
    return "no words in place of # make it match"


def _words_differ(number: int, found: str, word: str) -> str:
    return f"word {number} is {found!r}, not {word!r}"


def _joined(rest: Sequence[_Token]) -> str:
    return "".join(separator + word for separator, word in rest)
