"""Event keys and the patterns that match them.

A key is words separated by ``.`` or ``:``. In a pattern, ``*`` stands for exactly one word and
``#`` for zero or more words with the separators between them. Where ``#`` stands for no word, the
separator before it goes too (at the start of a pattern, the one behind it), as in AMQP 0-9-1's
topic exchanges: ``user.#`` matches ``user``.
"""

from __future__ import annotations

import re
from typing import Final

from hatchet_schemas.errors import SchemaError

__all__ = ["MAX_KEY_BYTES", "check_pattern", "is_pattern", "tokens"]

MAX_KEY_BYTES: Final = 255
"""The longest routing key that AMQP 0-9-1 can carry (a short string)."""

_KEY_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._:/@*#-]+", re.ASCII)
_WILDCARDS: Final = frozenset("*#")


def is_pattern(key: str) -> bool:
    """Return whether ``key`` holds a wildcard."""
    return not _WILDCARDS.isdisjoint(key)


def tokens(key: str) -> list[tuple[str, str]]:
    """Return the words of ``key``, each with the separator before it, the first with ``""``.

    ``user:create.v2`` gives ``("", "user"), (":", "create"), (".", "v2")``.
    """
    first, *rest = re.split(r"([.:])", key)
    return [("", first), *zip(rest[::2], rest[1::2], strict=True)]


def check_pattern(key: str) -> str:
    """Return ``key`` if it is an event key or a pattern.

    Raises:
        SchemaError: it is empty, longer than AMQP can carry, holds a character that keys cannot
            have, or has a wildcard inside a word.

    """
    if not key:
        raise SchemaError("an event key cannot be empty")
    if len(key) > MAX_KEY_BYTES:
        raise SchemaError(f"an event key has at most {MAX_KEY_BYTES} characters, this {len(key)}")
    if _KEY_CHARACTERS.fullmatch(key) is None:
        raise SchemaError(
            f"{key!r} is not an event key: expected letters, digits and . : _ - / @, "
            "and * or # as whole words"
        )
    for _, word in tokens(key):
        if word not in _WILDCARDS and is_pattern(word):
            raise SchemaError(
                f"{key!r} is not a pattern: * and # stand for whole words, so {word!r} "
                "would match nothing"
            )
    return key
