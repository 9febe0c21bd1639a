"""Triggers as AMQP bindings.

A topic exchange (AMQP 0-9-1) splits routing keys on ``.`` alone, so ``user:create`` is one word
to RabbitMQ. A pattern becomes the narrowest binding that lets through all that it matches; the
router's own matcher then decides.
"""

from __future__ import annotations

from hatchet_schemas.patterns import MAX_KEY_BYTES, is_pattern

__all__ = ["binding_key"]


def binding_key(pattern: str) -> str:
    """Return the topic binding that covers ``pattern``."""
    words: list[str] = []
    for word in pattern.split("."):
        if not is_pattern(word) or word in {"*", "#"}:
            words.append(word)
        elif "#" not in word:
            words.append("*")
        else:
            before: str | None = None
            if word.startswith("#"):
                # For no words, `x.#:b` is `x:b`: the word before may end up inside this one.
                while words and (before := words.pop()) == "#":
                    pass
            # `a:#` also matches `a:b.c`: from one AMQP word to any number of them. Only `#:#`
            # at the start may stand for none.
            no_words = before in {None, "#"} and all(part == "#" for part in word.split(":"))
            words += ["#"] if no_words else ["*", "#"]
    binding = ".".join(words)
    return binding if len(binding) <= MAX_KEY_BYTES else "#"
