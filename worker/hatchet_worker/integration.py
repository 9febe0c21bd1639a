"""Integrations: what gives a worker its actions."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import structlog

from hatchet_schemas import ActionId, SchemaError
from hatchet_schemas.catalogue import ActionSignature, Semantics
from hatchet_schemas.modes import Mode
from hatchet_worker.actions import ActionMethod, Outputs, action_methods
from hatchet_worker.context import current_context
from hatchet_worker.errors import IntegrationError, UnknownAction

__all__ = ["Integration", "IntegrationLike", "check_integration_id", "closed"]

_logger = structlog.get_logger("hatchet.worker")


@runtime_checkable
class IntegrationLike(Protocol):
    """What a worker needs of an integration; `Integration` is the convenient way to have it.

    ``id`` is the part of an action id before the colon, ``actions`` the verbs that may follow it.
    ``perform_action`` gets one of these verbs and the step's ``with``, rendered. It may be a
    coroutine function; one that is not runs in a thread. It has the step's context from
    `current_context`.
    """

    @property
    def id(self) -> str:
        """The integration's id, such as ``slack``."""
        ...

    @property
    def actions(self) -> Sequence[str]:
        """The verbs, such as ``create-channel``."""
        ...

    def perform_action(self, action: str, data: dict[str, Any], /) -> Outputs | Awaitable[Outputs]:
        """Do it, and return the step's outputs."""
        ...


class Integration:
    """The base class of integrations: give it an ``id``, and mark methods with `action`.

        class Sandbox(Integration):
            id = "sandbox"

            @action("create")
            async def create(self, data: dict[str, Any]) -> dict[str, Any]:
                return {"url": await make_sandbox(data["owner"])}

    ``secrets`` are the names of those that it cannot do without. A worker does not start where one
    is missing, and gives their values to each action as ``context.secrets``.

    An action that fails raises: `NonRetryable` if trying again is of no use, anything else to be
    tried again as the step's retry policy says.
    """

    id: str
    secrets: Sequence[str] = ()
    _methods: ClassVar[Mapping[str, tuple[str, ActionMethod]]] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the actions.

        Raises:
            IntegrationError: two methods claim one verb, or the id is not one.

        """
        super().__init_subclass__(**kwargs)
        cls._methods = MappingProxyType(action_methods(cls))
        if isinstance(given := vars(cls).get("id"), str):
            check_integration_id(given, cls.__qualname__)

    @property
    def actions(self) -> Sequence[str]:
        """The verbs of this integration, in the order of their definition."""
        return tuple(self._methods)

    def perform_action(self, action: str, data: dict[str, Any], /) -> Outputs | Awaitable[Outputs]:
        """Call the method marked with ``action``; what an async method returns is to be awaited.

        Raises:
            UnknownAction: no method is marked so.
            InvalidInput: ``data`` does not fit the method's parameter.
            NoContext: the method takes a context, and no step is running here.

        """
        if action not in self._methods:
            raise UnknownAction(f"{self.id} has no action {action!r}")
        name, method = self._methods[action]
        arguments = [method.validated(data)]
        if method.signature.takes_context:
            arguments.append(current_context())
        outputs: Outputs | Awaitable[Outputs] = getattr(self, name)(*arguments)
        return outputs

    async def close(self) -> None:
        """Give up connections and the like: the worker has stopped, and may be started again."""

    def check_data(self, action: str, data: dict[str, Any]) -> None:
        """Check ``data`` as `perform_action` would, and do nothing.

        Raises:
            InvalidInput: it does not fit the method's parameter.

        """
        if action in self._methods:
            self._methods[action][1].validated(data)

    def is_async(self, action: str) -> bool:
        """Return whether the method behind ``action`` is a coroutine function."""
        name, _ = self._methods[action]
        return inspect.iscoroutinefunction(getattr(self, name))

    def action_semantics(self, action: str) -> Semantics | None:
        """Return what the method behind ``action`` declares; None where there is no such method."""
        return self._methods[action][1].semantics if action in self._methods else None

    def action_mode(self, action: str) -> Mode:
        """Return how steps of ``action`` run by default, as its method declares."""
        return self._methods[action][1].mode if action in self._methods else "regular"

    def action_signature(self, action: str) -> ActionSignature:
        """Return what ``action`` takes and puts out, and what its method's docstring says."""
        if action not in self._methods:
            return ActionSignature()
        name, method = self._methods[action]
        return method.described(getattr(self, name))


async def closed(integration: IntegrationLike) -> None:
    """Close an integration; one that cannot be closed keeps nothing else from ending."""
    if isinstance(integration, Integration):
        try:
            await integration.close()
        except Exception:
            _logger.exception("integration.not_closed", integration=integration.id)


def check_integration_id(text: str, owner: str) -> None:
    """Check that ``text`` can stand before the colon of an action id.

    Raises:
        IntegrationError: it cannot; the message names ``owner``, whose id it is.

    """
    try:
        if ":" not in text:
            ActionId(f"{text}:verb")
            return
    except SchemaError:
        pass
    raise IntegrationError(
        f"{owner}: {text!r} is not an integration's id: expected letters, digits, '.', '_' "
        "and '-', such as slack"
    )
