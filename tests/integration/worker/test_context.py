"""What actions are told of their step by a worker on a real Temporal."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowFailureError

from hatchet_schemas.names import idempotency_key
from hatchet_worker import Context, Integration, action, current_context

if TYPE_CHECKING:
    import pytest
    from tests.integration.worker.conftest import Jobs


def call(action_id: str, attempts: int = 1, **data: Any) -> dict[str, Any]:
    """Return a step that calls ``action_id``."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": action_id,
        "timeout": "10s",
        "retry": {"attempts": attempts, "backoff": "10ms"},
        "with": data,
    }


class Curious(Integration):
    """Keeps the contexts that it is given, and fails until the third."""

    id = "curious"

    def __init__(self) -> None:
        self.seen: list[Context] = []
        self.threads: set[int] = set()

    def _look(self, context: Context) -> dict[str, Any]:
        self.seen.append(context)
        self.threads.add(threading.get_ident())
        assert current_context() is context
        context.logger.info("curious.looked", number=len(self.seen))
        if context.attempt < 3:
            raise ConnectionError("not yet")
        return {"attempt": context.attempt}

    @action("later")
    async def later(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Look, on the event loop."""
        return self._look(context)

    @action("blocking")
    def blocking(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Look, in a thread."""
        return self._look(context)


class Duck:
    """An integration by its shape alone."""

    id = "duck"
    actions = ("quack",)

    def perform_action(self, verb: str, data: dict[str, Any], /) -> dict[str, Any]:
        """Ask for the context, in a thread."""
        return {"step": current_context().step, "thread": threading.current_thread().name}


async def test_a_context_tells_of_its_step(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    curious = Curious()
    before = dt.datetime.now(dt.UTC)

    async with jobs.worker(curious):
        handle = await jobs.start(call("curious:later", attempts=3))
        await handle.result()

    context = curious.seen[0]
    assert context.event.id == handle.id.rpartition("/")[2]
    assert (context.event.key, context.event.source) == ("user:create", None)
    assert (context.workflow, context.job, context.step, context.action) == (
        "Post User Sign Up",
        "greet-user",
        "call",
        "curious:later",
    )
    assert [each.attempt for each in curious.seen] == [1, 2, 3]
    deadlines = [each.deadline for each in curious.seen]
    assert all(deadline is not None for deadline in deadlines)
    assert deadlines == sorted(deadlines, key=str)
    assert before < deadlines[0] - dt.timedelta(seconds=10) < dt.datetime.now(dt.UTC)  # type: ignore[operator]

    looked = [entry for entry in logs if entry["event"] == "curious.looked"]
    assert [entry["attempt"] for entry in looked] == [1, 2, 3]
    assert {
        "workflow": "Post User Sign Up",
        "job": "greet-user",
        "step": "call",
        "action": "curious:later",
        "event_id": context.event.id,
        "event_key": "user:create",
        "workflow_id": handle.id,
    }.items() <= looked[0].items()


async def test_the_idempotency_key_is_the_same_in_each_attempt_and_for_no_other_step(
    jobs: Jobs,
) -> None:
    curious = Curious()
    other = {**call("curious:blocking", attempts=3), "id": "other"}

    async with jobs.worker(curious):
        handle = await jobs.start(call("curious:blocking", attempts=3), other)
        await handle.result()
        await jobs.run(call("curious:blocking", attempts=3))

    keys = [context.idempotency_key for context in curious.seen]
    assert keys[0] == idempotency_key(handle.id, "call")
    assert [len(set(keys[start : start + 3])) for start in (0, 3, 6)] == [1, 1, 1]
    assert len(set(keys)) == 3


async def test_sync_actions_have_it_in_their_threads(jobs: Jobs) -> None:
    curious = Curious()

    async with jobs.worker(curious, Duck()):
        await jobs.run(call("curious:blocking", attempts=3))
        outputs = await jobs.run(call("duck:quack"))

    assert threading.get_ident() not in curious.threads
    assert outputs["call"]["step"] == "call"
    assert outputs["call"]["thread"].startswith("hatchet-step")


async def test_steps_side_by_side_have_a_context_each(jobs: Jobs) -> None:
    both = asyncio.Barrier(2)

    class Meeting(Integration):
        id = "meeting"

        @action("join")
        async def join(self, data: dict[str, Any]) -> dict[str, Any]:
            await both.wait()
            return {"job": current_context().job}

    async with jobs.worker(Meeting()), asyncio.timeout(30):
        one, two = await asyncio.gather(
            jobs.run(call("meeting:join"), job="one"), jobs.run(call("meeting:join"), job="two")
        )

    assert (one["call"], two["call"]) == ({"job": "one"}, {"job": "two"})


class Progress(Integration):
    """Tells how far it is, then fails; the next attempt goes on there."""

    id = "progress"

    def __init__(self) -> None:
        self.found: list[tuple[Any, ...]] = []

    def _work(self, context: Context) -> None:
        self.found.append(context.heartbeat_details)
        if context.attempt == 1:
            context.heartbeat({"rows": 1})
            context.heartbeat({"rows": 2})
            raise ConnectionError("in the middle")

    @action("later")
    async def later(self, data: dict[str, Any], context: Context) -> None:
        """Work on the event loop."""
        self._work(context)

    @action("blocking")
    def blocking(self, data: dict[str, Any], context: Context) -> None:
        """Work in a thread."""
        self._work(context)

    @action("elsewhere")
    def elsewhere(self, data: dict[str, Any], context: Context) -> None:
        """Work in a thread of its own, which knows nothing of Temporal."""
        errors: list[Exception] = []

        def work() -> None:
            try:
                self._work(context)
            except ConnectionError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]


async def test_the_next_attempt_finds_the_last_heartbeat(jobs: Jobs) -> None:
    """From the loop, a worker's thread and any other, right before the failure."""
    for verb in ("later", "blocking", "elsewhere"):
        progress = Progress()

        async with jobs.worker(progress):
            await jobs.run(call(f"progress:{verb}", attempts=2))

        assert progress.found == [(), ({"rows": 2},)], verb


async def test_our_own_signs_of_life_keep_the_details(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal has those of the last sign alone."""
    monkeypatch.setattr("hatchet_worker.steps.HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr("hatchet_worker.temporal_workers.HEARTBEAT_SECONDS", 0.05)
    found: list[tuple[Any, ...]] = []

    class Slow(Integration):
        id = "slow"

        @action("work")
        async def work(self, data: dict[str, Any], context: Context) -> None:
            found.append(context.heartbeat_details)
            if context.attempt == 1:
                context.heartbeat("half")
            await asyncio.sleep(0.3)  # several signs of life; the second attempt gives none itself
            if context.attempt < 3:
                raise ConnectionError("not yet")

    async with jobs.worker(Slow()):
        await jobs.run(call("slow:work", attempts=3))

    assert found == [(), ("half",), ("half",)]


async def test_details_that_are_no_data_fail_the_step_that_gives_them(jobs: Jobs) -> None:
    class Wrong(Integration):
        id = "wrong"

        @action("beat")
        def beat(self, data: dict[str, Any], context: Context) -> None:
            context.heartbeat(object())

    async with jobs.worker(Wrong()):
        failure = await jobs.failure(call("wrong:beat", attempts=3))

    assert failure.type == "InvalidOutput"
    assert "the details of a heartbeat are not JSON data" in failure.message


async def test_a_heartbeat_after_the_end_is_harmless(jobs: Jobs) -> None:
    """A thread that outlives its step, and then its worker, cannot be told."""
    late: list[Context] = []

    class Early(Integration):
        id = "early"

        @action("end")
        def end(self, data: dict[str, Any], context: Context) -> None:
            late.append(context)

    async with jobs.worker(Early()):
        await jobs.run(call("early:end"))
        late[0].heartbeat("too late")
        await asyncio.to_thread(late[0].heartbeat, "too late")
    await asyncio.to_thread(late[0].heartbeat, "much too late")


async def test_a_context_s_deadline_is_when_the_attempt_times_out(jobs: Jobs) -> None:
    timeout = dt.timedelta(seconds=3)
    began: list[dt.datetime] = []
    deadlines: list[dt.datetime | None] = []

    class Slow(Integration):
        id = "slow"

        @action("hang")
        async def hang(self, data: dict[str, Any], context: Context) -> None:
            began.append(dt.datetime.now(dt.UTC))
            deadlines.append(context.deadline)
            await asyncio.Event().wait()

    async with jobs.worker(Slow(), grace_seconds=0):
        handle = await jobs.start({**call("slow:hang"), "timeout": "3s"})
        try:
            await handle.result()
        except WorkflowFailureError:
            ended = dt.datetime.now(dt.UTC)

    [deadline] = deadlines
    assert deadline
    assert began[0] + timeout / 2 < deadline <= began[0] + timeout
    assert -timeout / 2 < ended - deadline < dt.timedelta(seconds=30)
