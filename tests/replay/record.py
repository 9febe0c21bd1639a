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

from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter

from hatchet_cli.devstack import TemporalServer
from hatchet_schemas import Event, Job, JobInput
from hatchet_schemas.names import workflow_id
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
}


async def record(client: Client, name: str) -> str:
    """Run a job and return its history as JSON, without what tells of this machine."""
    event = Event(
        id=f"recorded-{name}",
        key="user:create",
        time=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
        data={"username": "testing12345"},
    )
    job_input = JobInput(
        workflow="Recorded",
        job=name,
        event=event,
        definition=Job.model_validate({"queue": "recorded", "steps": JOBS[name]}),
    )
    handle = await client.start_workflow(
        name, job_input, id=workflow_id("Recorded", name, event.id), task_queue="recorded"
    )
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
