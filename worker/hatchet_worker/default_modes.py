"""How a step runs where its file does not say: by its action's default, the same in each replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from temporalio import workflow
from temporalio.worker import (
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from hatchet_schemas import ActionId
from hatchet_schemas.modes import Mode
from hatchet_worker.registry import Registry

__all__ = ["DefaultModes", "JobModes"]

_DEFAULT_MODE: Final = "hatchet_default_mode"
_CHANGE: Final = "local-by-default:"


class DefaultModes(Interceptor):
    """Lets the jobs of a worker ask for the default modes of its actions."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor] | None:
        """Intercept nothing, but give jobs the registry."""
        input.unsafe_extern_functions[_DEFAULT_MODE] = self._registry.default_mode
        return super().workflow_interceptor_class(input)


class JobModes:
    """The default modes that one job goes by, whatever other workers declare of their actions.

    What a worker's registry says decides when the job comes to its first step of an action, and
    holds for all that follow. Only a ``local`` is recorded, as a patch marker, whose absence a
    replay knows as well as its presence. So jobs without such actions have no events more, and
    steps that ran before there was a default are replayed as the regular ones that they were.
    """

    def __init__(self) -> None:
        self._settled: dict[ActionId, Mode] = {}

    def default_mode(self, action_id: ActionId) -> Mode:
        """Return how the steps of an action run that do not say; this may record something."""
        if action_id not in self._settled:
            self._settled[action_id] = _decided(action_id)
        return self._settled[action_id]


def _decided(action_id: ActionId) -> Mode:
    if not workflow.unsafe.is_replaying():
        declared: Callable[[str], Mode] | None = workflow.extern_functions().get(_DEFAULT_MODE)
        if declared is None or declared(action_id) == "regular":
            return "regular"
    return "local" if workflow.patched(f"{_CHANGE}{action_id}") else "regular"
