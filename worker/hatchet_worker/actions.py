"""The mark that makes a method an action, and what is checked when it is put on."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, SimpleNamespace
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from hatchet_schemas import ActionId, SchemaError
from hatchet_worker.errors import IntegrationError, InvalidInput

__all__ = ["ActionMethod", "Outputs", "action", "action_methods"]

Outputs = Mapping[str, Any] | BaseModel | None
"""What an action may return; it becomes a JSON object, None an empty one."""

MethodT = TypeVar("MethodT", bound=Callable[[Any, Any], Outputs | Awaitable[Outputs]])

_MARK: Final = "__hatchet_action__"
_EXPECTED: Final = "expected a dict or a pydantic model"
_NEVER_OBJECTS: Final = (str, bytes, bool, int, float, list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class ActionMethod:
    """What is known of a method marked as an action: the action's verb, and what it takes.

    ``params`` is None where the method takes its data unchecked.
    """

    verb: str
    params: TypeAdapter[Any] | None

    def validated(self, data: dict[str, Any]) -> Any:
        """Return ``data`` as the method's parameter wants it.

        Raises:
            InvalidInput: it does not fit; the message names fields, never their values.

        """
        if self.params is None:
            return data
        try:
            # As JSON, which it is: so that a strict model takes a date written as text.
            return self.params.validate_json(to_json(data))
        except ValidationError as error:
            raise InvalidInput(_explained(error)) from None


def action(verb: str) -> Callable[[MethodT], MethodT]:
    """Mark a method of an `Integration` as the action ``<integration id>:<verb>``.

    The method, sync or async, takes one parameter beside ``self``: a dict (the step's ``with``) or
    a pydantic model. It returns a dict, a pydantic model or None. A sync method runs in a thread.

    Raises:
        IntegrationError: at definition time, if the verb or the method's signature cannot work.

    """

    def mark(method: MethodT) -> MethodT:
        name = getattr(method, "__qualname__", repr(method))
        try:
            ActionId(f"integration:{verb}")
        except SchemaError:
            raise IntegrationError(
                f"{name}: {verb!r} is not the verb of an action: expected letters, digits, "
                "'.', '_' and '-', such as create-channel"
            ) from None
        if not inspect.isfunction(cast("object", method)):
            raise IntegrationError(
                f"{name}: @action stands on a method; put it above no other decorator that "
                "makes something else of it, such as staticmethod or property"
            )
        vars(method)[_MARK] = ActionMethod(verb, _params(name, method, inspect.currentframe()))
        return method

    return mark


def action_methods(cls: type) -> dict[str, tuple[str, ActionMethod]]:
    """Return the actions of a class: by verb, the name of the method and what is known of it.

    A subclass may override a marked method without marking it again.

    Raises:
        IntegrationError: two methods claim one verb.

    """
    by_name: dict[str, ActionMethod] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            mark = getattr(member, _MARK, None)
            if isinstance(mark, ActionMethod):
                by_name[name] = mark
    by_verb: dict[str, tuple[str, ActionMethod]] = {}
    for name, mark in by_name.items():
        if mark.verb in by_verb:
            raise IntegrationError(
                f"{cls.__qualname__}: {by_verb[mark.verb][0]} and {name} are both "
                f"the action {mark.verb!r}"
            )
        by_verb[mark.verb] = name, mark
    return by_verb


def _params(
    name: str, method: Callable[..., object], frame: FrameType | None
) -> TypeAdapter[Any] | None:
    signature = inspect.signature(method)
    try:
        signature.bind("self", "data")
    except TypeError:
        raise IntegrationError(
            f"{name}{signature}: an action takes one parameter beside self: {_EXPECTED}"
        ) from None
    if inspect.isasyncgenfunction(method) or inspect.isgeneratorfunction(method):
        raise IntegrationError(f"{name}: an action returns its outputs once, it cannot yield")
    namespace = _namespace(frame)
    returned = _resolved(signature.return_annotation, method, namespace)
    if (typing.get_origin(returned) or returned) in _NEVER_OBJECTS:
        raise IntegrationError(
            f"{name}: returns {_shown(returned)}; {_EXPECTED}, or None, "
            "so that later steps can name its fields"
        )
    parameter = list(signature.parameters.values())[1]
    annotation = _resolved(parameter.annotation, method, namespace)
    if isinstance(annotation, str):
        raise IntegrationError(
            f"{name}: the annotation {annotation!r} cannot be resolved: "
            "define or import it above the integration, and not under TYPE_CHECKING"
        )
    if annotation in (inspect.Parameter.empty, Any, object):
        return None
    kind = typing.get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, (BaseModel, Mapping)):
        return TypeAdapter(annotation)
    raise IntegrationError(
        f"{name}: takes {parameter.name}: {_shown(annotation)}; {_EXPECTED}, "
        "for a step's `with` is a map"
    )


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


def _explained(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_path(detail['loc'])}: {detail['msg']}" for detail in details)


def _path(loc: tuple[str | int, ...]) -> str:
    return "".join(_parts(loc)).removeprefix(".") or "with"


def _parts(loc: tuple[str | int, ...]) -> Iterator[str]:
    for part in loc:
        yield f"[{part}]" if isinstance(part, int) else f".{part}"
