"""What there is to know of an integration, for those who write steps: read from its code."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hatchet_schemas.catalogue import ActionSignature, Semantics
from hatchet_worker.actions import action_methods
from hatchet_worker.integration import Integration

__all__ = ["ActionReference", "FieldReference", "IntegrationReference", "reference_of"]

_REFERENCE: Final = "#/$defs/"
_MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class FieldReference:
    """A field of a step's ``with``, or of its outputs.

    ``name`` is its path, ``to[].email`` for one of the maps in a list. ``default`` is JSON; None
    where there is none, or where the field is required.
    """

    name: str
    type: str
    required: bool
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class ActionReference:
    """An action; ``parameters`` and ``results`` are None where its code does not tell them.

    ``declared`` is what its author says of it, for people, ``semantics`` a part of that.
    """

    id: str
    semantics: Semantics | None
    declared: str
    description: str
    parameters: tuple[FieldReference, ...] | None
    results: tuple[FieldReference, ...] | None

    @property
    def summary(self) -> str:
        """The first line of the description."""
        return self.description.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class IntegrationReference:
    """An integration, its actions in the order of their definition."""

    id: str
    description: str
    secrets: tuple[str, ...]
    actions: tuple[ActionReference, ...]


def reference_of(integration: Any) -> IntegrationReference:
    """Return what is known of an integration, or of a class of them, which is not made for it."""
    cls = integration if isinstance(integration, type) else type(integration)
    integration_id = str(getattr(integration, "id", cls.__name__))
    if issubclass(cls, Integration):
        signatures = {
            verb: method.described(getattr(cls, name))
            for verb, (name, method) in action_methods(cls).items()
        }
    else:
        verbs = getattr(integration, "actions", ())
        signatures = {
            str(verb): ActionSignature()
            for verb in (verbs if isinstance(verbs, (list, tuple)) else ())
        }
    return IntegrationReference(
        integration_id,
        (cls.__doc__ and inspect.cleandoc(cls.__doc__)) or "",
        tuple(getattr(integration, "secrets", ())),
        tuple(_action(f"{integration_id}:{verb}", each) for verb, each in signatures.items()),
    )


def _action(action_id: str, signature: ActionSignature) -> ActionReference:
    return ActionReference(
        action_id,
        signature.semantics,
        signature.declared,
        signature.description or "",
        _fields(signature.with_),
        _fields(signature.outputs),
    )


def _fields(schema: Mapping[str, Any] | None) -> tuple[FieldReference, ...] | None:
    if schema is None or not ("properties" in schema or _REFERENCE in str(schema.get("$ref"))):
        return None
    return tuple(_fields_of(schema, schema.get("$defs", {}), "", 0))


def _fields_of(
    schema: Mapping[str, Any], models: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[FieldReference]:
    """Yield the fields of an object, each followed by those of the objects that it holds."""
    schema = _resolved(schema, models)
    required = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield FieldReference(
            path,
            _type(value, models),
            name in required,
            _default(value, required=name in required),
            " ".join(str(value.get("description", "")).split()),
        )
        if depth < _MAX_DEPTH:
            for inner, suffix in _objects(value, models, ""):
                yield from _fields_of(inner, models, f"{path}{suffix}.", depth + 1)


def _objects(
    schema: Mapping[str, Any], models: Mapping[str, Any], suffix: str
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the objects with fields that a value may be or hold, and what leads to them."""
    schema = _resolved(schema, models)
    if schema.get("properties"):
        yield schema, suffix
    elif isinstance(items := schema.get("items"), Mapping):
        yield from _objects(items, models, f"{suffix}[]")
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _objects(choice, models, suffix)


def _type(schema: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Return what a value may be, in words."""
    schema = _resolved(schema, models)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(choice, models) for choice in choices))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(map(json.dumps, schema["enum"]))
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            return f"list of {_type(items, models)}" if isinstance(items, Mapping) else "list"
        case "object":
            values = schema.get("additionalProperties")
            if schema.get("properties") or not isinstance(values, Mapping) or not values:
                return "map"
            return f"map of {_type(values, models)}"
        case str() as name:
            return f"{name} ({schema['format']})" if "format" in schema else name
        case _:
            return "any"


def _default(schema: Mapping[str, Any], *, required: bool) -> str | None:
    if required or schema.get("default") is None:
        return None
    return json.dumps(schema["default"], ensure_ascii=False)


def _resolved(schema: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what ``$ref`` leads to, with what stands beside it."""
    name = str(schema.get("$ref", "")).removeprefix(_REFERENCE)
    return {**models[name], **schema, "$ref": ""} if name in models else schema
