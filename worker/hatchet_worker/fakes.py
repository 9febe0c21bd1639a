"""Stand-ins for actions in tests, and what was called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hatchet_schemas import ActionId
from hatchet_worker.actions import Outputs
from hatchet_worker.context import current_context
from hatchet_worker.errors import WorkerError
from hatchet_worker.integration import Integration, IntegrationLike
from hatchet_worker.registry import RegisteredAction, Registry

__all__ = ["Call", "Fake", "FakingRegistry"]

Fake = (
    Mapping[str, Any]
    | BaseException
    | Callable[[dict[str, Any]], Outputs | Awaitable[Outputs]]
    | Sequence[Any]
)
"""What an action does in a test: outputs to put out, an exception to raise, or a function of its
data. A list has one of these for each attempt; the last is for all further ones."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action that was called: ``data`` is what it got, with the values of secrets."""

    step: str
    action: str
    data: dict[str, Any]
    attempt: int


class FakingRegistry(Registry):
    """Has every action there can be, and keeps in ``calls`` which were called.

    It is that of ``fakes``, else that of ``integrations``; all others put out nothing. ``fakes`` go
    by step ids, ``<job>/<step>`` where these are not enough, or by action ids. Where there is one
    for an action of ``integrations``, what it is given is checked as the action would.
    """

    def __init__(self, integrations: Iterable[IntegrationLike], fakes: Mapping[str, Fake]) -> None:
        super().__init__(integrations)
        self.calls: list[Call] = []
        self._fakes = fakes

    def __getitem__(self, action_id: str) -> RegisteredAction:
        """Return the action called ``action_id``, which keeps in mind that it is called.

        Raises:
            UnknownAction: an integration that was given has no such action.

        """
        wanted = ActionId(action_id)
        if any(each.id == wanted.integration for each in self.integrations):
            real = super().__getitem__(action_id)
            return _Staged(
                wanted,
                real.integration,
                real.is_async,
                real.semantics,
                real.mode,
                registry=self,
                real=True,
            )
        nobody = _Nobody(wanted.integration, (wanted.verb,))
        return _Staged(wanted, nobody, is_async=True, registry=self, real=False)

    def fake_for(self, action_id: str) -> Fake | None:
        """Return what stands in for an action in the step that runs; None where nothing does."""
        context = current_context()
        for name in (f"{context.job}/{context.step}", context.step, action_id):
            if name in self._fakes:
                return self._fakes[name]
        return None


@dataclass(frozen=True, slots=True)
class _Nobody:
    """An integration that nobody has written yet, or that a test does without."""

    id: str
    actions: Sequence[str]

    def perform_action(self, _action: str, _data: dict[str, Any], /) -> Outputs:
        return {}


@dataclass(frozen=True, slots=True)
class _Staged(RegisteredAction):
    registry: FakingRegistry = field(kw_only=True)
    real: bool = field(kw_only=True)

    def perform(self, data: dict[str, Any]) -> Outputs | Awaitable[Outputs]:
        context = current_context()
        self.registry.calls.append(Call(context.step, str(self.id), data, context.attempt))
        fake = self.registry.fake_for(self.id)
        if fake is None:
            return self.integration.perform_action(self.id.verb, data)
        if isinstance(self.integration, Integration):
            self.integration.check_data(self.id.verb, data)
        return _played(fake, data, context.attempt)


def _played(fake: Fake, data: dict[str, Any], attempt: int) -> Outputs | Awaitable[Outputs]:
    if isinstance(fake, Sequence):
        if not fake:
            raise WorkerError("a fake that is a list needs something for the first attempt")
        return _played(cast("Fake", fake[min(attempt, len(fake)) - 1]), data, attempt)
    if isinstance(fake, BaseException):
        raise fake
    return fake(data) if callable(fake) else fake
