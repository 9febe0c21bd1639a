"""What actions see of their step."""

from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from hatchet_worker import (
    Context,
    Integration,
    IntegrationError,
    NoContext,
    action,
    current_context,
    use_context,
)


class Params(BaseModel):
    """What the actions take."""

    name: str = "ada"


class Actions(Integration):
    """Methods that take a context in every way."""

    id = "actions"

    @action("postponed")
    def postponed(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Have a text as annotation, as everything in this module."""
        return {"step": context.step, **data}

    @action("optional")
    def optional(self, params: Params, context: Context | None = None) -> dict[str, Any]:
        """Be callable without one."""
        return {"step": context.step if context else None, "name": params.name}

    @action("other-default")
    def other_default(self, data: dict[str, Any], times: int = 2) -> dict[str, Any]:
        """Have a second parameter that is none of the worker's business."""
        return {"times": times}

    @action("none")
    async def none(self, data: dict[str, Any]) -> dict[str, Any]:
        """Ask for it."""
        return {"step": current_context().step}


def test_all_of_it_can_be_left_out_in_a_unit_test() -> None:
    context = Context(step="charge")

    context.heartbeat("half", {"rows": 5})
    with capture_logs() as logs:
        context.logger.info("charged", amount=5)

    assert (context.step, context.attempt, context.deadline) == ("charge", 1, None)
    assert logs == [{"event": "charged", "amount": 5, "log_level": "info"}]
    with pytest.raises(FrozenInstanceError):
        context.attempt = 2  # type: ignore[misc]


def test_a_test_can_listen_to_heartbeats() -> None:
    heard: list[tuple[Any, ...]] = []

    Context(heartbeat=lambda *details: heard.append(details)).heartbeat("half")

    assert heard == [("half",)]


@pytest.mark.parametrize("verb", ["postponed", "optional"])
def test_a_method_that_takes_a_context_is_given_it(verb: str) -> None:
    with use_context(Context(step="charge")):
        outputs = Actions().perform_action(verb, {"name": "ada"})

    assert outputs == {"step": "charge", "name": "ada"}


def test_a_default_of_another_type_is_left_alone() -> None:
    with use_context(Context()):
        assert Actions().perform_action("other-default", {}) == {"times": 2}


def test_a_method_can_be_called_with_a_context_of_one_s_own() -> None:
    assert Actions().postponed({}, Context(step="mine")) == {"step": "mine"}


async def test_what_takes_none_can_ask_for_it() -> None:
    with use_context(Context(step="outer")):
        with use_context(Context(step="inner")):
            inner = await Actions().none({})
        outer = await Actions().none({})

    assert (inner, outer) == ({"step": "inner"}, {"step": "outer"})


def test_outside_of_a_step_there_is_none() -> None:
    with pytest.raises(NoContext, match="use_context"):
        current_context()
    with pytest.raises(NoContext):
        Actions().perform_action("postponed", {})


def test_a_bare_thread_has_none() -> None:
    """As with all context variables; the worker's own threads have it."""
    found: list[object] = []

    def look() -> None:
        try:
            found.append(current_context())
        except NoContext as error:
            found.append(error)

    with use_context(Context()):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert isinstance(found[0], NoContext)


def _untyped(self: object, data: dict[str, Any], context) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001
def _other_type(self: object, data: dict[str, Any], context: str) -> None: ...
def _three(self: object, data: dict[str, Any], context: Context, more: str) -> None: ...
def _keyword(self: object, data: dict[str, Any], *, context: Context) -> None: ...
def _swapped(self: object, context: Context, data: dict[str, Any]) -> None: ...
def _unknown(self: object, data: dict[str, Any], context: Contextt) -> None: ...  # type: ignore[name-defined] # noqa: F821
def _unknown_default(self: object, data: dict[str, Any], context: Contextt = 1) -> None: ...  # type: ignore[name-defined] # noqa: F821


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (_untyped, "for the step's context, annotated as Context"),
        (_other_type, "for the step's context, annotated as Context"),
        (_three, "for the step's context, annotated as Context"),
        (_keyword, "for the step's context, annotated as Context"),
        (_swapped, "for the step's context, annotated as Context"),
        (_unknown, "the annotation 'Contextt' cannot be resolved"),
        (_unknown_default, "the annotation 'Contextt' cannot be resolved"),
    ],
)
def test_what_cannot_be_given_a_context_is_refused_at_definition(method: Any, message: str) -> None:
    with pytest.raises(IntegrationError, match=message) as caught:
        action("create")(method)
    assert method.__qualname__ in str(caught.value)


def test_only_what_is_known_can_be_declared() -> None:
    with pytest.raises(IntegrationError, match="expected 'at-most-once' or 'idempotent'"):

        class Wrong(Integration):
            @action("charge", semantics="exactly-once")  # type: ignore[arg-type]
            def charge(self, data: dict[str, Any]) -> None: ...
