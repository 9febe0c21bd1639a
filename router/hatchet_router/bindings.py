"""Triggers as AMQP bindings.

A topic exchange (AMQP 0-9-1) splits routing keys on ``.`` alone, so ``user:create`` is one word
to RabbitMQ. A pattern becomes the narrowest binding that lets through all that it matches; the
router's own matcher then decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from hatchet_schemas.patterns import is_pattern

__all__ = ["binding_key", "binding_keys"]


def binding_key(pattern: str) -> str:
    """Return the topic binding that covers ``pattern``."""
    words: list[str] = []
    for word in pattern.split("."):
        if not is_pattern(word) or word in {"*", "#"}:
            words.append(word)
        elif "#" not in word:
            words.append("*")
        else:
            # `a:#` also matches `a:b.c`: from one AMQP word to any number of them.
            if word.startswith("#"):
                # For no words, `x.#:b` is `x:b`: the word before may end up inside this one.
                while words and words.pop() == "#":
                    pass
            words += ["*", "#"]
    return ".".join(words)


def binding_keys(triggers: Iterable[str]) -> tuple[str, ...]:
    """Return the bindings that cover all ``triggers``, each once, sorted."""
    return tuple(sorted({binding_key(trigger) for trigger in triggers}))
