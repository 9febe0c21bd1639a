"""What of JSON Schema (draft 2020-12) the checks read; what is not understood accepts all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["Schema", "alternatives", "kinds", "noun", "resolved"]

Schema = Mapping[str, Any]

_MAX_REFERENCES: Final = 20
_NOUNS: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a map",
    "string": "a text",
}


def resolved(schema: object, root: Schema) -> Schema | None:
    """Return ``schema``, or what it refers to inside ``root``; None where that accepts all."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, Mapping):
            return None
        reference = schema.get("$ref")
        if reference is None:
            return schema
        # What stands beside a reference restricts further; leaving it out can only accept more.
        schema = _pointed_at(reference, root)
    return None


def _pointed_at(reference: object, root: Schema) -> object:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: object = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return target


def alternatives(schema: Schema) -> Iterator[list[Any]]:
    """Yield the lists of schemas of which a value has to fit one."""
    for keyword in ("anyOf", "oneOf"):
        options = schema.get(keyword)
        if isinstance(options, list) and options:
            yield options


def kinds(schema: Schema) -> frozenset[str]:
    """Return the types that ``schema`` names itself; none where it names none, or one unknown."""
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    names = [name for name in listed if isinstance(name, str) and name in _NOUNS]
    return frozenset(names) if len(names) == len(listed) else frozenset()


def noun(kind: str) -> str:
    """Return what a value of a type is called in messages."""
    return _NOUNS[kind]
