"""Secrets in a step's ``with``: their values found, and put where the workflow file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hatchet_schemas import SecretRef, SecretText
from hatchet_worker.errors import InvalidInput, UnknownSecret, UnreadableSecret
from hatchet_worker.masking import Masker
from hatchet_worker.secrets import SecretProvider

__all__ = ["secret_values", "secrets_in", "with_secrets"]


def secrets_in(texts: Iterable[SecretText]) -> Iterator[str]:
    """Yield the names of the secrets in ``texts``, as often as they are there."""
    for text in texts:
        for part in text.parts:
            if isinstance(part, SecretRef):
                yield part.secret


def secret_values(
    names: Iterable[str], providers: Sequence[SecretProvider], masker: Masker
) -> dict[str, str]:
    """Return the secrets' values by their names; ``masker`` knows each as soon as it is found.

    Raises:
        UnknownSecret: no provider has one of them.
        UnreadableSecret: what a provider returned is no text.

    """
    return {name: _value(name, providers, masker) for name in dict.fromkeys(names)}


def with_secrets(
    data: dict[str, Any], texts: Sequence[SecretText], values: Mapping[str, str]
) -> dict[str, Any]:
    """Return ``data`` with ``texts`` in their places, and ``values`` in these; it stays unchanged.

    ``data`` itself is looked at by nobody: no text in it, nor any structure, can name a secret.

    Raises:
        InvalidInput: a text's place does not exist.

    """
    result = data
    for text in texts:
        parts = (
            values[part.secret] if isinstance(part, SecretRef) else part for part in text.parts
        )
        result = _with_text(result, text.at, "".join(parts), text.at) if text.at else _lost(text.at)
    return result


def _value(name: str, providers: Sequence[SecretProvider], masker: Masker) -> str:
    for provider in providers:
        value: Any = provider(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise UnreadableSecret(
                f"the secret {name!r}: {_place(provider, name)} returned "
                f"a {type(value).__name__}: expected a str, or None"
            )
        masker.remember(name, value)
        return value
    raise UnknownSecret(name, tuple(_place(provider, name) for provider in providers))


def _place(provider: SecretProvider, name: str) -> str:
    """Return where ``provider`` looks; never its ``repr``, which may hold credentials."""
    place = getattr(provider, "place", None)
    if callable(place):
        return str(place(name))
    return str(getattr(provider, "__qualname__", type(provider).__qualname__))


def _with_text(value: Any, at: Sequence[str | int], text: str, whole: Sequence[str | int]) -> Any:
    if not at:
        return text
    head, *rest = at
    if isinstance(value, dict) and isinstance(head, str) and head in value:
        return {**value, head: _with_text(value[head], rest, text, whole)}
    if isinstance(value, list) and isinstance(head, int) and 0 <= head < len(value):
        return [*value[:head], _with_text(value[head], rest, text, whole), *value[head + 1 :]]
    return _lost(whole)


def _lost(at: Sequence[str | int]) -> Any:
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
    raise InvalidInput(f"with{shown}: a secret is to stand there, but there is no such place")
