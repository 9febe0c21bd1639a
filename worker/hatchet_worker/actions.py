"""The mark that makes a method an action, and what is checked when it is put on."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from hatchet_schemas import ActionId, SchemaError
from hatchet_schemas.catalogue import ActionSignature, Semantics
from hatchet_schemas.modes import MODES, Mode
from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError, InvalidInput
from hatchet_worker.signatures import (
    MethodSignature,
    json_schema,
    method_signature,
    outputs_schema,
)

__all__ = ["ActionMethod", "Outputs", "action", "action_methods"]

Outputs = Mapping[str, Any] | BaseModel | None
"""What an action may return; it becomes a JSON object, None an empty one."""

MethodT = TypeVar(
    "MethodT",
    bound=Callable[[Any, Any], Outputs | Awaitable[Outputs]]
    | Callable[[Any, Any, Context], Outputs | Awaitable[Outputs]],
)

_MARK: Final = "__hatchet_action__"


@dataclass(frozen=True, slots=True)
class ActionMethod:
    """What is known of a method marked as an action."""

    verb: str
    semantics: Semantics | None
    mode: Mode
    signature: MethodSignature

    def validated(self, data: dict[str, Any]) -> Any:
        """Return ``data`` as the method's parameter wants it.

        Raises:
            InvalidInput: it does not fit; the message names fields, never their values.

        """
        params = self.signature.params
        if params is None:
            return data
        try:
            # As JSON, which it is: so that a strict model takes a date written as text.
            return params.validate_json(to_json(data))
        except ValidationError as error:
            raise InvalidInput(_explained(error)) from None

    def described(self, method: Callable[..., object]) -> ActionSignature:
        """Return what there is to know for whoever writes workflows; ``method`` has the text."""
        params = self.signature.params
        return ActionSignature(
            description=inspect.getdoc(method),
            semantics=self.semantics,
            mode=self.mode,
            with_=None if params is None else json_schema(params, "validation"),
            outputs=outputs_schema(self.signature.returned),
        )


def action(
    verb: str, *, semantics: Semantics | None = None, mode: Mode = "regular"
) -> Callable[[MethodT], MethodT]:
    """Mark a method of an `Integration` as the action ``<integration id>:<verb>``.

    The method, sync or async, takes one parameter beside ``self``: a dict (the step's ``with``) or
    a pydantic model. A second one, annotated as `Context`, is given the step's context. It returns
    a dict, a pydantic model or None. A sync method runs in a thread.

    ``semantics`` says whether the action may be run again for a step. ``"at-most-once"``: never,
    whatever the step's retry policy says; each failure is final, and a step whose worker was lost
    fails. ``"idempotent"``: a second time does no harm; it changes nothing for the worker, but
    tells the authors of workflows. Without it, the retry policy decides, and nothing is promised.

    ``mode="local"`` has steps run as local ones whose file does not say how: for what is done in a
    moment and may be done again. One whose ``timeout`` or ``retry`` allow for more than a local
    step may take is a regular step nevertheless.

    Raises:
        IntegrationError: at definition time, if the verb, the semantics, the mode or the method's
            signature cannot work.

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
        if semantics not in (None, *get_args(Semantics)):
            raise IntegrationError(
                f"{name}: {semantics!r} is not what semantics can be: "
                f"expected {' or '.join(map(repr, get_args(Semantics)))}"
            )
        if mode not in MODES:
            raise IntegrationError(
                f"{name}: {mode!r} is not what mode can be: "
                f"expected {' or '.join(map(repr, MODES))}"
            )
        if mode == "local" and semantics == "at-most-once":
            raise IntegrationError(
                f"{name}: what is at-most-once cannot be local by default, as a local step is run "
                "again when its worker is lost"
            )
        signature = method_signature(name, method, inspect.currentframe())
        vars(method)[_MARK] = ActionMethod(verb, semantics, mode, signature)
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


def _explained(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_path(detail['loc'])}: {detail['msg']}" for detail in details)


def _path(loc: tuple[str | int, ...]) -> str:
    return "".join(_parts(loc)).removeprefix(".") or "with"


def _parts(loc: tuple[str | int, ...]) -> Iterator[str]:
    for part in loc:
        yield f"[{part}]" if isinstance(part, int) else f".{part}"
