"""The actions of a worker, by their ids."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hatchet_schemas import ActionId, SchemaError
from hatchet_schemas.catalogue import ActionSignature, Catalogue, Semantics
from hatchet_schemas.modes import Mode
from hatchet_worker.actions import Outputs
from hatchet_worker.errors import IntegrationError, UnknownAction
from hatchet_worker.integration import Integration, IntegrationLike, check_integration_id

__all__ = ["RegisteredAction", "Registry"]

_LISTED_ACTIONS: Final = 50
_NEAR: Final = 0.75  # two verbs of one integration are not near for what they share


@dataclass(frozen=True, slots=True)
class RegisteredAction:
    """One action of one integration.

    ``is_async`` says whether `perform` may be called on an event loop; if not, it may block.
    ``semantics`` is what its author declares, None where that is nothing; ``mode`` is how its steps
    run by default.
    """

    id: ActionId
    integration: IntegrationLike
    is_async: bool
    semantics: Semantics | None = None
    mode: Mode = "regular"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the secrets that its integration needs."""
        return tuple(getattr(self.integration, "secrets", ()))

    def perform(self, data: dict[str, Any]) -> Outputs | Awaitable[Outputs]:
        """Do what the action does; the result may have to be awaited in either case."""
        return self.integration.perform_action(self.id.verb, data)

    @property
    def signature(self) -> ActionSignature:
        """What it takes and puts out; an integration without the base class tells nothing."""
        if isinstance(self.integration, Integration):
            return self.integration.action_signature(self.id.verb)
        return ActionSignature()


class Registry:
    """All that the given integrations can do; a worker runs nothing else.

    Raises:
        IntegrationError: something given is no integration, has no actions or an invalid id, or
            two integrations claim the same action.

    """

    def __init__(self, integrations: Iterable[IntegrationLike]) -> None:
        self._actions: dict[str, RegisteredAction] = {}
        self.integrations = tuple(integrations)
        for integration in self.integrations:
            for registered in _actions_of(integration):
                other = self._actions.setdefault(registered.id, registered)
                if other is not registered:
                    raise IntegrationError(
                        f"the action {registered.id!r} is claimed twice: by "
                        f"{_named(other.integration)} and by {_named(integration)}"
                    )

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._actions))

    def __len__(self) -> int:
        return len(self._actions)

    def __getitem__(self, action_id: str) -> RegisteredAction:
        """Return the action called ``action_id``.

        Raises:
            UnknownAction: there is none; the message says what there is.

        """
        try:
            return self._actions[action_id]
        except KeyError:
            raise UnknownAction(self._unknown(action_id)) from None

    def default_mode(self, action_id: str) -> Mode:
        """Return how the steps of an action run by default; regular where there is no such one."""
        found = self._actions.get(action_id)
        return "regular" if found is None else found.mode

    def catalogue(self) -> Catalogue:
        """Return all actions with what each takes and puts out, as data to be written down."""
        return Catalogue(
            actions={action.id: action.signature for _, action in sorted(self._actions.items())}
        )

    def _unknown(self, action_id: str) -> str:
        near = difflib.get_close_matches(action_id, self._actions, n=1, cutoff=_NEAR)
        hint = f"did you mean {near[0]!r}? " if near else ""
        listed = ", ".join(list(self)[:_LISTED_ACTIONS]) or "no actions at all"
        rest = len(self) - _LISTED_ACTIONS
        more = f" and {rest} more" if rest > 0 else ""
        return f"unknown action {str(action_id)!r}: {hint}this worker has {listed}{more}"


def _actions_of(integration: IntegrationLike) -> Iterator[RegisteredAction]:
    _check(integration)
    for verb in integration.actions:
        try:
            action_id = ActionId(f"{integration.id}:{verb}")
        except SchemaError as error:
            raise IntegrationError(f"{_named(integration)}: {error}") from None
        yield RegisteredAction(
            action_id,
            integration,
            _is_async(integration, verb),
            _semantics(integration, verb),
            _mode(integration, verb),
        )


def _check(integration: object) -> None:
    if isinstance(integration, type):
        raise IntegrationError(
            f"{integration.__qualname__} is a class: give the worker an instance, "
            f"{integration.__qualname__}()"
        )
    wanted = ("id", "actions", "perform_action")
    lacking = [name for name in wanted if not hasattr(integration, name)]
    if lacking or not isinstance(integration, IntegrationLike):
        raise IntegrationError(
            f"{_named(integration)} is no integration: it has no {' and no '.join(lacking)}"
        )
    check_integration_id(integration.id, _named(integration))
    if isinstance(integration.actions, str) or not integration.actions:
        raise IntegrationError(
            f"{_named(integration)} has no actions: mark methods with @action, "
            "or list the verbs in `actions`"
        )


def _is_async(integration: IntegrationLike, verb: str) -> bool:
    if inspect.iscoroutinefunction(integration.perform_action):
        return True
    return isinstance(integration, Integration) and integration.is_async(verb)


def _semantics(integration: IntegrationLike, verb: str) -> Semantics | None:
    return integration.action_semantics(verb) if isinstance(integration, Integration) else None


def _mode(integration: IntegrationLike, verb: str) -> Mode:
    return integration.action_mode(verb) if isinstance(integration, Integration) else "regular"


def _named(integration: object) -> str:
    return f"{type(integration).__qualname__}(id={getattr(integration, 'id', None)!r})"
