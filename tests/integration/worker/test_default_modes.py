"""Actions that are local by default, on a real Temporal: what is recorded, and what a replay does.

Workers that differ in what they declare take jobs over from each other, as they do when a new
release of an integration is deployed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import CancelledError

from hatchet_schemas.modes import Mode
from hatchet_worker import Context, Integration, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Logs = list[MutableMapping[str, Any]]
CHANGES = SearchAttributeKey.for_keyword_list("TemporalChangeVersion")


class Desk(Integration):
    """Does small things, and writes down which, and whether as a local step."""

    id = "desk"

    def __init__(self) -> None:
        self.done: list[str] = []
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @action("wait")
    async def wait(self, data: dict[str, Any], context: Context) -> None:
        """Wait until the test opens the gate."""
        self.done.append(context.step)
        self.reached.set()
        await self.opened.wait()

    @action("linger")
    async def linger(self, data: dict[str, Any], context: Context) -> None:
        """Take so long that the worker has to ask for another workflow task."""
        self.done.append(context.step)
        await asyncio.sleep(9)


def desk(saying: Mode = "local", looking: Mode = "regular") -> Desk:
    """Return a desk of a release in which two of its actions have these default modes."""

    class Release(Desk):
        @action("say", mode=saying)
        async def say(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
            """Return what is given."""
            self.done.append(context.step)
            return data

        @action("look", mode=looking)
        def look(self, data: dict[str, Any], context: Context) -> None:
            """Do nothing, in a thread."""
            self.done.append(context.step)

    return Release()


def step(step_id: str, verb: str = "say", **fields: Any) -> dict[str, Any]:
    """Return a step that does not say how it runs."""
    return {
        "name": f"Step {step_id}",
        "id": step_id,
        "actionId": f"desk:{verb}",
        "timeout": "5s",
        "retry": {"backoff": "10ms"},
        **fields,
    }


async def modes(jobs: Jobs, handle: WorkflowHandle[Any, Any]) -> dict[str, Mode]:
    """Return how each step of a job ran, by its id."""
    modes: dict[str, Mode] = {}
    for event in (await handle.fetch_history()).events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            modes[event.activity_task_scheduled_event_attributes.activity_id] = "regular"
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            marker = event.marker_recorded_event_attributes
            if marker.marker_name == "core_local_activity":
                [data] = jobs.client.data_converter.payload_converter.from_payloads(
                    marker.details["data"].payloads
                )
                modes[data["activity_id"]] = "local"
    return modes


async def handed_over(jobs: Jobs, steps: list[dict[str, Any]], old: Desk, new: Desk) -> Any:
    """Run a job that is at its ``wait`` when its worker is replaced; return the job."""
    async with asyncio.timeout(60):
        async with jobs.worker(old):
            handle = await jobs.start(*steps)
            await old.reached.wait()
            # The worker finishes the step while it stops, and takes no more of the job.
            asyncio.get_running_loop().call_later(0.2, old.opened.set)
        async with jobs.worker(new):
            await handle.result()
    assert "WORKFLOW_TASK_FAILED" not in await jobs.event_types(handle)
    return handle


async def test_steps_of_such_an_action_are_local_at_the_price_of_two_events(jobs: Jobs) -> None:
    """Two for the action, however many steps it has: ten events; docs/workflows.md says so."""
    async with jobs.worker(desk()), asyncio.timeout(30):
        handle = await jobs.start(step("one"), step("two"), step("three"))
        await handle.result()
        described = await handle.describe()

    assert await jobs.event_types(handle) == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "MARKER_RECORDED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        *["MARKER_RECORDED"] * 3,
        "WORKFLOW_EXECUTION_COMPLETED",
    ]
    assert await modes(jobs, handle) == dict.fromkeys(("one", "two", "three"), "local")
    assert described.typed_search_attributes.get(CHANGES) == ["local-by-default:desk:say"]


async def test_a_step_that_says_how_it_runs_runs_so(jobs: Jobs) -> None:
    """Its action has no say then, and nothing is recorded but the step."""
    async with jobs.worker(desk()), asyncio.timeout(30):
        handle = await jobs.start(
            step("regular", mode="regular"), step("local", "look", mode="local")
        )
        await handle.result()

    assert await modes(jobs, handle) == {"regular": "regular", "local": "local"}
    assert "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES" not in await jobs.event_types(handle)


@pytest.mark.parametrize("slow", [{"timeout": "6s"}, {"retry": {"backoff": "11s"}}])
async def test_a_step_that_may_take_too_long_for_a_local_one_is_regular(
    jobs: Jobs, slow: dict[str, Any]
) -> None:
    """A default makes no file invalid."""
    async with jobs.worker(desk()), asyncio.timeout(30):
        handle = await jobs.start(step("slow", **slow), step("quick"))
        await handle.result()

    assert await modes(jobs, handle) == {"slow": "regular", "quick": "local"}


async def test_other_jobs_have_no_events_more_than_ever(jobs: Jobs) -> None:
    """Those of actions that are regular by default."""
    async with jobs.worker(desk(saying="regular")), asyncio.timeout(30):
        handle = await jobs.start(step("one"), step("two"), step("three"))
        await handle.result()

    types = await jobs.event_types(handle)
    assert (len(types), types.count("MARKER_RECORDED")) == (23, 0)


async def test_a_job_that_began_with_local_steps_goes_on_with_them(jobs: Jobs) -> None:
    """Also those to come, in a worker whose action is no longer local by default."""
    old, new = desk(), desk(saying="regular")
    steps = [step("a"), step("w", "wait", timeout="30s"), step("b")]

    handle = await handed_over(jobs, steps, old, new)

    assert (old.done, new.done) == (["a", "w"], ["b"])
    assert await modes(jobs, handle) == {"a": "local", "w": "regular", "b": "local"}


async def test_a_job_that_began_with_regular_steps_goes_on_with_them(jobs: Jobs) -> None:
    """In a worker whose action has become local by default."""
    old, new = desk(saying="regular"), desk()
    steps = [step("a"), step("w", "wait", timeout="30s"), step("b")]

    handle = await handed_over(jobs, steps, old, new)

    assert (old.done, new.done) == (["a", "w"], ["b"])
    assert await modes(jobs, handle) == dict.fromkeys(("a", "w", "b"), "regular")


async def test_an_action_that_a_job_comes_to_later_is_decided_then(jobs: Jobs) -> None:
    """By the worker that has the job at its first step of that action."""
    old, new = desk(looking="regular"), desk(saying="regular", looking="local")
    steps = [step("a"), step("w", "wait", timeout="30s"), step("b", "look"), step("c")]

    handle = await handed_over(jobs, steps, old, new)

    assert await modes(jobs, handle) == {
        "a": "local",
        "w": "regular",
        "b": "local",
        "c": "local",
    }


async def test_what_was_decided_behind_a_long_local_step_holds_in_a_replay(jobs: Jobs) -> None:
    """A workflow task that the worker had to ask for has no commands before the decision."""
    old, new = desk(), desk(saying="regular")
    steps = [
        step("l", "linger", timeout="30s", mode="local"),
        *(step("a"), step("w", "wait", timeout="30s"), step("b")),
    ]

    handle = await handed_over(jobs, steps, old, new)

    assert (old.done, new.done) == (["l", "a", "w"], ["b"])
    assert await modes(jobs, handle) == {"l": "local", "a": "local", "w": "regular", "b": "local"}


async def test_a_decision_that_was_not_recorded_is_made_anew(jobs: Jobs) -> None:
    """The worker was lost in the workflow task in which it had decided."""
    stuck, fresh = desk(), desk(saying="regular")
    steps = [step("a"), step("w", "wait", mode="local"), step("b")]
    fresh.opened.set()

    async with asyncio.timeout(60):
        async with jobs.worker(stuck, grace_seconds=0.1):
            handle = await jobs.start(*steps)
            await stuck.reached.wait()
        async with jobs.worker(fresh):
            await handle.result()

    assert (stuck.done, fresh.done) == (["a", "w"], ["a", "w", "b"])
    assert await modes(jobs, handle) == {"a": "regular", "w": "local", "b": "regular"}


async def test_a_job_that_is_cancelled_meanwhile_decides_anew(jobs: Jobs) -> None:
    """Temporal drops what the workflow task had, the decision with the local steps."""
    desk_ = desk()
    steps = [step("w", "wait", mode="local"), step("a"), step("tidy", **{"if": "always()"})]

    async with jobs.worker(desk_), asyncio.timeout(30):
        handle = await jobs.start(step("r", mode="regular"), *steps)
        await desk_.reached.wait()
        await handle.cancel()
        desk_.opened.set()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert desk_.done == ["r", "w", "a", "tidy", "tidy"]
    assert await modes(jobs, handle) == {"r": "regular", "tidy": "local"}


async def test_a_failure_of_such_a_step_tells_of_its_attempts(jobs: Jobs) -> None:
    """As of one that is local by its file."""

    class Failing(Integration):
        id = "desk"

        @action("say", mode="local")
        async def say(self, data: dict[str, Any]) -> None:
            raise ConnectionError("not yet")

    async with jobs.worker(Failing()), asyncio.timeout(30):
        failure = await jobs.failure(step("a", retry={"attempts": 2, "backoff": "10ms"}))

    assert failure.message.endswith("ConnectionError: not yet (2 attempts)")


async def test_there_may_be_more_such_actions_than_a_search_attribute_holds(jobs: Jobs) -> None:
    """Temporal's core then leaves the attribute as it is, and the job is replayed all the same."""
    verbs = [f"{'do' * 20}-{number}" for number in range(60)]
    marked = {
        f"do{number}": action(verb, mode="local")(_does()) for number, verb in enumerate(verbs)
    }
    many: type[Desk] = type("Many", (Desk,), marked)
    old, new = many(), many()
    steps = [step(f"s{number}", verb) for number, verb in enumerate(verbs)]

    handle = await handed_over(
        jobs, [*steps, step("w", "wait", timeout="30s"), step("end", verbs[1])], old, new
    )

    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert list((await modes(jobs, handle)).values()).count("local") == 61


def _does() -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    return lambda _self, data: data
