"""Records the histories that `test_replay.py` replays.

Run it after a change to what JobWorkflow does, once per release, and commit the result beside the
earlier ones: ``python -m tests.replay.record NAME [JOB…]``, where NAME is the folder to write, such
as the version; the jobs are those of `shapes.py`. A job that was started by an earlier release must
go on with the next one, so histories are added and never overwritten.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleSpec,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.replay.shapes import JOBS

from hatchet_cli.devstack import TemporalServer
from hatchet_schemas import Event, Job, JobInput, ScheduledJobInput
from hatchet_schemas.names import schedule_id, scheduled_workflow_id, times_id, workflow_id
from hatchet_worker import Context, Integration, Worker, action

_TIME: Final = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
HISTORIES: Final = Path(__file__).parent / "histories"


class Echo(Integration):
    """What the recorded jobs call."""

    id = "echo"

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    @action("say")
    async def say(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``data``."""
        return data

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail."""
        raise ValueError("no")

    @action("hang")
    async def hang(self, data: dict[str, Any]) -> None:
        """Never end."""
        self.reached.set()
        await asyncio.Event().wait()

    @action("wait")
    async def wait(self, data: dict[str, Any]) -> dict[str, Any]:
        """End when the recorder says so."""
        self.reached.set()
        await self.released.wait()
        return data

    @action("recover")
    async def recover(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Fail the first time."""
        if context.attempt == 1:
            raise ValueError("no")
        return data

    @action("note", mode="local")
    async def note(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``data``, as a local step by default."""
        return data

    @action("once", semantics="at-most-once")
    async def once(self, data: dict[str, Any]) -> None:
        """Fail for good."""
        raise ValueError("no")


async def record(client: Client, name: str) -> str:
    """Run a job and return its history as JSON, without what tells of this machine."""
    shape = JOBS[name]
    echo = Echo()
    if shape.cancelled == "before":
        handle = await _start(client, name)
        await handle.cancel()
    async with _worker(client, echo):
        if shape.cancelled != "before":
            handle = await _start(client, name)
        if shape.cancelled == "during":
            await echo.reached.wait()
            await handle.cancel()
        if shape.cancelled != "seen":
            await _end(name, handle)
        else:
            await echo.reached.wait()
            # The worker finishes the step while it stops, and takes no more of the job.
            asyncio.get_running_loop().call_later(0.2, echo.released.set)
    if shape.cancelled == "seen":
        await handle.cancel()
        async with _worker(client, echo):
            await _end(name, handle)
    history = json.loads((await handle.fetch_history()).to_json())
    return json.dumps(_without_stack_traces(history), indent=1) + "\n"


def _worker(client: Client, echo: Echo) -> Worker:
    secrets = [{"TOKEN": "recorded-token"}.get]
    return Worker([echo], ["recorded"], client=client, secrets=secrets, grace_seconds=5)


async def _start(client: Client, name: str) -> WorkflowHandle[Any, Any]:
    shape = JOBS[name]
    if shape.scheduled:
        return await _scheduled(client, name)
    event = Event(
        id=f"recorded-{name}",
        key="user:create",
        time=_TIME,
        data={"username": "testing12345", **shape.data},
    )
    job_input: Any = shape.given
    if job_input is None:
        job_input = JobInput(
            workflow="Recorded",
            job=name,
            event=event,
            vars={"channel": "#sign-ups", "tell": True},
            definition=Job.model_validate(
                {"queue": "recorded", "if": shape.condition, "steps": shape.steps}
            ),
        )
    return await client.start_workflow(
        name, job_input, id=workflow_id("Recorded", name, event.id), task_queue="recorded"
    )


async def _scheduled(client: Client, name: str) -> WorkflowHandle[Any, Any]:
    """Start a job by a schedule that makes up for a time long past."""
    scheduled = ScheduledJobInput(
        workflow="Recorded",
        job=name,
        schedule=times_id("recorded", "Recorded"),
        definition=Job.model_validate({"queue": "recorded", "steps": JOBS[name].steps}),
    )
    run_id = scheduled_workflow_id("recorded", "Recorded", name)
    schedule = await client.create_schedule(
        schedule_id("recorded", "Recorded", name),
        Schedule(
            action=ScheduleActionStartWorkflow(name, scheduled, id=run_id, task_queue="recorded"),
            spec=ScheduleSpec(cron_expressions=["0 0 31 1 *"]),
        ),
    )
    await schedule.backfill(
        ScheduleBackfill(start_at=_TIME - dt.timedelta(minutes=1), end_at=_TIME)
    )
    while True:
        recent = (await schedule.describe()).info.recent_actions
        if recent:
            break
        await asyncio.sleep(0.05)
    assert isinstance(recent[0].action, ScheduleActionExecutionStartWorkflow)
    return client.get_workflow_handle(recent[0].action.workflow_id)


async def _end(name: str, handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.result()
    except WorkflowFailureError as error:
        print(f"{name}: {error.cause}", file=sys.stderr)  # noqa: T201 - this is a script


def _without_stack_traces(value: Any) -> Any:
    """Return ``value`` without the stack traces in it, which name files of this machine."""
    if isinstance(value, list):
        return [_without_stack_traces(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _without_stack_traces(item) for key, item in value.items() if key != "stackTrace"
        }
    return value


async def record_all(names: Iterable[str]) -> dict[str, str]:
    """Return the histories of jobs, by name."""
    with TemporalServer(headless=True) as temporal:
        client = await Client.connect(
            temporal.address, identity="recorder", data_converter=pydantic_data_converter
        )
        return {name: await record(client, name) for name in names}


def main(folder: Path, names: Iterable[str]) -> None:
    """Record jobs into ``folder``, which must not be there yet."""
    folder.mkdir()
    for name, history in asyncio.run(record_all(names)).items():
        (folder / f"{name}.json").write_text(history)


if __name__ == "__main__":
    main(HISTORIES / sys.argv[1], sys.argv[2:] or JOBS)
