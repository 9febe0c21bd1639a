"""A worker of one release of Hatchet: ``python release.py RELEASE QUEUE LEDGER GRACE_SECONDS``.

Each step leaves a line in the ledger: the event's id, the step's, and the release that ran it.

- ``1``: as it is now
- ``1-local``: the same, but its action is local by default
- ``1-dies``: the same, but killed as soon as it knows that the first step is done
- ``2``: a change of JobWorkflow made as docs/upgrading.md says: it calls one action more
- ``2-careless``: the same change, made without a thought for the jobs that run
- ``format-2``: knows one format of jobs more
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from temporalio import workflow
from temporalio.common import RawValue

import hatchet_worker.decisions
import hatchet_worker.jobs
import hatchet_worker.temporal_workers
from hatchet_schemas import JobInput, Step
from hatchet_worker import Context, Integration, Worker, action
from hatchet_worker.jobs import JobWorkflow
from hatchet_worker.progress import JobProgress

GREETING: Final = Step.model_validate(
    {"name": "Greet", "id": "greeting", "actionId": "ledger:write", "timeout": "10s"}
)


class Ledger(Integration):
    """Writes down what was done."""

    id = "ledger"

    def __init__(self, release: str, ledger: Path) -> None:
        self._release = release
        self._ledger = ledger

    @action("write")
    async def write(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Leave a line, and wait until the file `gate` is there, if there is to be one."""
        line = f"{context.event.id} {context.step} {self._release}\n"
        with self._ledger.open("a") as ledger:
            ledger.write(line)
        if "gate" in data:
            gate = Path(data["gate"])
            while not gate.exists():  # noqa: ASYNC110, ASYNC240 - another process opens it
                await asyncio.sleep(0.02)
        return {"by": self._release}


class QuickLedger(Ledger):
    """Writes it down in local steps, where they do not say otherwise."""

    @action("write", mode="local")
    async def write(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Leave a line."""
        return await super().write(data, context)


class DyingProgress(JobProgress):
    """Ends the process between two steps, before Temporal is answered."""

    def complete(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


class JobInput2(JobInput):
    """What a later release may write."""

    format: Literal[1, 2] = 2  # type: ignore[assignment]


@workflow.defn(dynamic=True)
class Careless(JobWorkflow):
    """Greets before the first step."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run the job."""
        return await super().run(args)

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        step_input = hatchet_worker.decisions.wanted_input(job_input, GREETING, progress.scope)
        await self._run_step(GREETING, step_input)
        await super()._run_steps(job_input, progress)


@workflow.defn(dynamic=True)
class Patched(Careless):
    """Greets before the first step, where the job has not begun without that."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run the job."""
        return await super().run(args)

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        if workflow.patched("greet-first"):
            await super()._run_steps(job_input, progress)
        else:
            await JobWorkflow._run_steps(self, job_input, progress)


def main(release: str, queue: str, ledger: Path, grace_seconds: float) -> None:
    """Run a worker until SIGTERM."""
    match release:
        case "1-dies":
            vars(hatchet_worker.jobs)["JobProgress"] = DyingProgress
        case "2":
            vars(hatchet_worker.temporal_workers)["JobWorkflow"] = Patched
        case "2-careless":
            vars(hatchet_worker.temporal_workers)["JobWorkflow"] = Careless
        case "format-2":
            vars(hatchet_worker.jobs)["JobInput"] = JobInput2
    kind = QuickLedger if release == "1-local" else Ledger
    Worker([kind(release, ledger)], [queue], grace_seconds=grace_seconds).run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
