"""Records the histories that `test_replay.py` replays.

Run it after a change to what JobWorkflow does, once per release, and commit the result beside the
earlier ones: ``python tests/replay/record.py NAME [JOB…]``, where NAME is the folder to write, such
as the version. A job that was started by an earlier release must go on with the next one, so
histories are added and never overwritten.
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

from hatchet_cli.devstack import TemporalServer
from hatchet_schemas import Event, Job, JobInput, ScheduledJobInput
from hatchet_schemas.names import schedule_id, scheduled_workflow_id, times_id, workflow_id
from hatchet_worker import Integration, Worker, action

HISTORIES: Final = Path(__file__).parent / "histories"


class Echo(Integration):
    """What the recorded jobs call."""

    id = "echo"

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
        await asyncio.Event().wait()


def step(
    step_id: str,
    verb: str = "say",
    data: dict[str, Any] | None = None,
    condition: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return a step of one of the recorded jobs."""
    return {
        "name": step_id,
        "id": step_id,
        "actionId": f"echo:{verb}",
        "timeout": "10s",
        "with": data or {},
        "if": condition,
        **extra,
    }


JOBS: Final[dict[str, list[dict[str, Any]]]] = {
    "one-step": [step("echo1", "say", {"message": "{{ .username }}"})],
    "three-steps": [
        step("echo1", "say", {"message": "{{ .username }}"}),
        step("echo-2", "say", {"message": "{{ .steps.echo1.outputs.message }}"}),
        step("echo3", "say", {"all": ["{{ .steps.echo-2.message }}", "{{ .event.key }}"]}),
    ],
    "failing-step": [
        step("echo1"),
        step("fails", "fail", retry={"attempts": 2, "backoff": "10ms"}),
        step("never"),
    ],
    "template-error": [step("echo1"), step("echo2", "say", {"message": "{{ .nobody }}"})],
    "timed-out-step": [step("hangs", "hang", timeout="200ms", retry={"attempts": 1})],
    "skipped-step": [
        step("echo1", condition=".username == 'nobody'"),
        step("echo2", "say", {"was": "{{ .steps.echo1.outcome }}"}),
    ],
    "tolerated-failure": [
        {**step("fails", "fail", retry={"attempts": 1}), "continue-on-error": True},
        step("echo2", "say", {"why": "{{ .steps.fails.failure.message }}"}),
    ],
    "steps-after-a-failure": [
        step("fails", "fail", retry={"attempts": 1}),
        step("never"),
        step("tells", "say", {"why": "{{ .steps.fails.failure.type }}"}, condition="failure()"),
        step("tidies", "say", condition="always()"),
    ],
    "secret": [step("echo1", "say", {"key": "Bearer {{ .secrets.TOKEN }}"})],
    "scheduled": [
        step("echo1", "say", {"event": "{{ .event }}"}),
        step("echo-2", "say", {"time": "{{ .steps.echo1.event.time }}"}),
    ],
}
BY_CLOCK: Final = frozenset({"scheduled"})
"""The jobs that a schedule starts, all others an event."""


async def started(client: Client, name: str) -> WorkflowHandle[Any, Any]:
    """Start a job by an event, or by a schedule that makes up for a time long past."""
    definition = Job.model_validate({"queue": "recorded", "steps": JOBS[name]})
    time = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
    if name not in BY_CLOCK:
        event = Event(
            id=f"recorded-{name}", key="user:create", time=time, data={"username": "testing12345"}
        )
        return await client.start_workflow(
            name,
            JobInput(workflow="Recorded", job=name, event=event, definition=definition),
            id=workflow_id("Recorded", name, event.id),
            task_queue="recorded",
        )
    scheduled = ScheduledJobInput(
        workflow="Recorded",
        job=name,
        schedule=times_id("recorded", "Recorded"),
        definition=definition,
    )
    run_id = scheduled_workflow_id("recorded", "Recorded", name)
    schedule = await client.create_schedule(
        schedule_id("recorded", "Recorded", name),
        Schedule(
            action=ScheduleActionStartWorkflow(name, scheduled, id=run_id, task_queue="recorded"),
            spec=ScheduleSpec(cron_expressions=["0 0 31 1 *"]),
        ),
    )
    await schedule.backfill(ScheduleBackfill(start_at=time - dt.timedelta(minutes=1), end_at=time))
    while True:
        recent = (await schedule.describe()).info.recent_actions
        if recent:
            break
        await asyncio.sleep(0.05)
    assert isinstance(recent[0].action, ScheduleActionExecutionStartWorkflow)
    return client.get_workflow_handle(recent[0].action.workflow_id)


async def record(client: Client, name: str) -> str:
    """Run a job and return its history as JSON, without what tells of this machine."""
    handle = await started(client, name)
    try:
        await handle.result()
    except WorkflowFailureError as error:
        print(f"{name}: {error.cause}", file=sys.stderr)  # noqa: T201 - this is a script
    history = json.loads((await handle.fetch_history()).to_json())
    return json.dumps(_without_stack_traces(history), indent=1) + "\n"


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
        secrets = [{"TOKEN": "recorded-token"}.get]
        async with Worker([Echo()], ["recorded"], client=client, secrets=secrets):
            return {name: await record(client, name) for name in names}


def main(folder: Path, names: Iterable[str]) -> None:
    """Record jobs into ``folder``, which must not be there yet."""
    folder.mkdir()
    for name, history in asyncio.run(record_all(names)).items():
        (folder / f"{name}.json").write_text(history)


if __name__ == "__main__":
    main(HISTORIES / sys.argv[1], sys.argv[2:] or JOBS)
