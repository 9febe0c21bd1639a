"""What an action's method takes and returns: read from its annotations, told as JSON Schema."""

from __future__ import annotations

import functools
import inspect
import operator
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import FrameType, SimpleNamespace
from typing import Any, Final, NotRequired, Required

import typing_extensions
from pydantic import BaseModel, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError

__all__ = ["MethodSignature", "json_schema", "method_signature", "outputs_schema"]

_EXPECTED: Final = "expected a dict or a pydantic model"
_PARAMETERS: Final = (
    f"an action takes one parameter beside self: {_EXPECTED}; "
    "it may take a second one for the step's context, annotated as Context"
)
_NEVER_OBJECTS: Final = (str, bytes, bool, int, float, list, tuple, set, frozenset)
_PROMISES_NOTHING: Final = (inspect.Parameter.empty, Any, object, BaseModel)
_TAKES_DATA: Final = ("self", "data")
_TAKES_DATA_AND_CONTEXT: Final = (*_TAKES_DATA, "context")


@dataclass(frozen=True, slots=True)
class MethodSignature:
    """What an action's method takes and returns.

    ``params`` is None where it takes its data unchecked. ``returned`` is the annotation of what it
    returns, or of what is awaited then; a text where that cannot be resolved.
    """

    params: TypeAdapter[Any] | None
    takes_context: bool
    returned: Any


def method_signature(
    name: str, method: Callable[..., object], frame: FrameType | None
) -> MethodSignature:
    """Return the signature of ``method``, whose class is being defined below ``frame``.

    Raises:
        IntegrationError: no action can have it; the message begins with ``name``.

    """
    signature = inspect.signature(method)
    if not _takes(signature, _TAKES_DATA) and not _takes(signature, _TAKES_DATA_AND_CONTEXT):
        raise IntegrationError(f"{name}{signature}: {_PARAMETERS}")
    if inspect.isasyncgenfunction(method) or inspect.isgeneratorfunction(method):
        raise IntegrationError(f"{name}: an action returns its outputs once, it cannot yield")
    namespace = _namespace(frame)
    returned = _awaited(_resolved(signature.return_annotation, method, namespace))
    if (typing.get_origin(returned) or returned) in _NEVER_OBJECTS:
        raise IntegrationError(
            f"{name}: returns {_shown(returned)}; {_EXPECTED}, or None, "
            "so that later steps can name its fields"
        )
    annotations = [
        (parameter, _resolved(parameter.annotation, method, namespace))
        for parameter in list(signature.parameters.values())[1:3]
    ]
    for parameter, annotation in annotations:
        if isinstance(annotation, str) and parameter.kind is not parameter.KEYWORD_ONLY:
            raise IntegrationError(
                f"{name}: the annotation {annotation!r} cannot be resolved: "
                "define or import it above the integration, and not under TYPE_CHECKING"
            )
    takes_context = _takes_context(name, signature, annotations)
    return MethodSignature(_params(name, *annotations[0]), takes_context, returned)


def outputs_schema(returned: Any) -> dict[str, Any] | None:
    """Return the JSON Schema of what an action puts out by its annotation; None if that tells none.

    None as a value becomes an empty object, which then has to fit as well.
    """
    if returned in (None, types.NoneType):
        return {"type": "object", "properties": {}, "additionalProperties": False}
    choices = typing.get_args(returned) if _is_union(returned) else (returned,)
    promises = [choice for choice in choices if choice is not types.NoneType]
    if any(isinstance(each, str) or each in _PROMISES_NOTHING for each in promises):
        return None
    try:
        schema = json_schema(_adapter(functools.reduce(operator.or_, promises)), "serialization")
    except (PydanticUserError, PydanticSchemaGenerationError):
        return None
    if schema is not None and len(promises) < len(choices):
        schema.pop("required", None)
    return schema


def json_schema(params: TypeAdapter[Any], mode: JsonSchemaMode) -> dict[str, Any] | None:
    """Return the JSON Schema of a type, by the names on the wire; None where it has none."""
    try:
        return params.json_schema(mode=mode, by_alias=True)
    except PydanticUserError:
        return None


def _takes(signature: inspect.Signature, arguments: tuple[str, ...]) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _params(name: str, parameter: inspect.Parameter, annotation: Any) -> TypeAdapter[Any] | None:
    if annotation in (inspect.Parameter.empty, Any, object):
        return None
    kind = typing.get_origin(annotation) or annotation
    if not (isinstance(kind, type) and issubclass(kind, (BaseModel, Mapping))):
        raise IntegrationError(
            f"{name}: takes {parameter.name}: {_shown(annotation)}; {_EXPECTED}, "
            "for a step's `with` is a map"
        )
    try:
        return _adapter(annotation)
    except (PydanticUserError, PydanticSchemaGenerationError) as error:
        raise IntegrationError(
            f"{name}: takes {parameter.name}: {_shown(annotation)}, "
            f"which pydantic cannot check: {error.message.splitlines()[0]}"
        ) from None


def _takes_context(
    name: str, signature: inspect.Signature, annotations: list[tuple[inspect.Parameter, Any]]
) -> bool:
    if not _takes(signature, _TAKES_DATA_AND_CONTEXT) or len(annotations) == 1:
        return False
    parameter, annotation = annotations[1]
    choices = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    if Context in choices and parameter.kind is not parameter.VAR_POSITIONAL:
        return True
    if _takes(signature, _TAKES_DATA):
        return False  # a parameter with a default of its own
    raise IntegrationError(f"{name}{signature}: {_PARAMETERS}")


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(_checkable(annotation))


def _checkable(annotation: Any) -> Any:
    """Return ``annotation`` as pydantic takes it: before Python 3.12 it refuses some TypedDicts."""
    if sys.version_info >= (3, 12) or type(annotation) is not type(_ATypedDict):
        return annotation
    hints = typing.get_type_hints(annotation, include_extras=True)
    required: frozenset[str] = annotation.__required_keys__
    fields = {
        key: hint
        if typing.get_origin(hint) in (Required, NotRequired)
        else (Required[hint] if key in required else NotRequired[hint])
        for key, hint in hints.items()
    }
    make: Any = typing_extensions.TypedDict
    return make(annotation.__name__, fields)


class _ATypedDict(typing.TypedDict):
    pass


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _awaited(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (Awaitable, Coroutine):
        return typing.get_args(annotation)[-1]
    return annotation


def _namespace(frame: FrameType | None) -> dict[str, Any]:
    """Return the local names around the class body, for classes defined inside functions."""
    class_body = frame.f_back if frame else None
    around = class_body.f_back if class_body else None
    return {
        **(around.f_locals if around else {}),
        **(class_body.f_locals if class_body else {}),
    }


def _resolved(annotation: Any, method: Callable[..., object], namespace: dict[str, Any]) -> Any:
    """Return ``annotation``, or what its text stands for; the text where that is not known."""
    if not isinstance(annotation, str):
        return annotation
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(
            holder, inspect.unwrap(method).__globals__, namespace, include_extras=True
        )["it"]
    except (AttributeError, NameError, TypeError, SyntaxError):
        return annotation


def _shown(annotation: Any) -> str:
    return inspect.formatannotation(annotation)
