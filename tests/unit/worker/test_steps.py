"""One step, without a Temporal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic_core import to_json
from structlog.contextvars import get_contextvars
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from hatchet_schemas import ActionId, EventHeader, StepInput
from hatchet_worker import Context, Integration, action, current_context
from hatchet_worker.counts import StepCounts
from hatchet_worker.registry import Registry
from hatchet_worker.secrets import SecretProvider
from hatchet_worker.steps import StepRunner


class Echo(Integration):
    """Sees what is bound while it runs."""

    id = "echo"

    def __init__(self) -> None:
        self.bound: list[dict[str, Any]] = []

    @action("say")
    async def say(self, data: dict[str, Any]) -> dict[str, Any]:
        """Look, on the event loop."""
        self.bound.append(dict(get_contextvars()))
        return data

    @action("block")
    def block(self, data: dict[str, Any]) -> dict[str, Any]:
        """Look, in a thread."""
        self.bound.append(dict(get_contextvars()))
        return data

    @action("progress")
    async def progress(self, data: dict[str, Any], context: Context) -> None:
        """Tell how far it is."""
        context.heartbeat("half")

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail."""
        raise ValueError("no")

    @action("charge", semantics="at-most-once")
    async def charge(self, data: dict[str, Any]) -> None:
        """Be called."""
        self.bound.append(dict(current_context().secrets))


async def run(
    echo: Echo,
    name: str,
    counts: StepCounts | None = None,
    secrets: Sequence[SecretProvider] = (),
    environment: ActivityEnvironment | None = None,
) -> None:
    """Run one step that calls an action; nothing waits between its repetitions."""

    async def at_once(_: float) -> None:
        pass

    logging.disable(logging.CRITICAL)
    step = StepInput(
        workflow="Sign Up",
        job="greet",
        step="s-1",
        action_id=ActionId(name),
        event=EventHeader(id="e-1", key="user:create", time=datetime.now(UTC)),
        with_={},
    )
    with ThreadPoolExecutor(1) as executor:
        runner = StepRunner(Registry([echo]), executor, secrets, at_once, counts)
        data = RawValue(Payload(data=to_json(step)))
        try:
            environment = environment or ActivityEnvironment()
            environment.info = replace(environment.info, start_to_close_timeout=timedelta(hours=1))
            await environment.run(runner.run_step, [data])
        finally:
            logging.disable(logging.NOTSET)


@pytest.mark.parametrize("verb", ["say", "block"])
async def test_what_an_action_s_libraries_log_has_the_ids_of_the_step(verb: str) -> None:
    echo = Echo()

    await run(echo, f"echo:{verb}")

    [bound] = echo.bound
    assert bound.items() >= {"event_id": "e-1", "workflow": "Sign Up", "step": "s-1"}.items()
    assert get_contextvars() == {}


async def test_each_attempt_is_counted_by_its_action_and_how_it_ended() -> None:
    counts = StepCounts()
    echo = Echo()

    await run(echo, "echo:say", counts)
    for name in ("echo:fail", "echo:missing", "other:missing"):
        with pytest.raises(ApplicationError):
            await run(echo, name, counts)

    ended = {
        action: {outcome: count for outcome, count in of_action.outcomes.items() if count}
        for action, of_action in counts.by_action.items()
    }
    assert ended["echo:say"] == {"completed": 1}
    assert sum(ended["echo:fail"].values()) == 1
    assert ended["unknown"] == {"failed": 2}
    assert counts.by_action["echo:say"].seconds.count == 1
    assert counts.running == 0


@pytest.mark.parametrize(("is_local", "heard"), [(False, [("half",)]), (True, [])])
async def test_only_a_regular_step_gives_signs_of_life(
    *, is_local: bool, heard: list[tuple[Any, ...]]
) -> None:
    """Temporal takes none of local activities."""
    environment = ActivityEnvironment()
    environment.info = replace(ActivityEnvironment.default_info(), is_local=is_local)
    beats: list[tuple[Any, ...]] = []
    environment.on_heartbeat = lambda *details: beats.append(details)

    await run(Echo(), "echo:progress", environment=environment)

    assert beats == heard


async def test_an_at_most_once_action_is_called_when_its_secret_can_be_looked_up_again() -> None:
    """Nothing has been done before."""
    answers: Iterator[OSError | str] = iter(
        [OSError("the vault is sealed"), OSError("still sealed"), "hunter2"]
    )

    def vault(_: str) -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    echo = Echo()
    echo.secrets = ("VAULT_TOKEN",)

    await run(echo, "echo:charge", secrets=[vault])

    assert echo.bound == [{"VAULT_TOKEN": "hunter2"}]


async def test_an_at_most_once_action_without_its_secret_is_not_called() -> None:
    echo = Echo()
    echo.secrets = ("VAULT_TOKEN",)

    with pytest.raises(ApplicationError) as caught:
        await run(echo, "echo:charge", secrets=[lambda _: None])

    assert caught.value.type == "UnknownSecret"
    assert echo.bound == []
