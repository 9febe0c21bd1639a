"""The workflows of a scenario, and how each event's jobs have to end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["KINDS", "NOT_JSON", "NO_WORKER", "Kind", "event_of", "write_project"]

NO_WORKER: Final = "nobody"
"""A task queue that no worker serves."""

NOT_JSON: Final = b"this is no JSON"
"""A body that has to become a dead letter."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event of one key starts: these jobs, each of which ends with ``status``."""

    jobs: tuple[str, ...]
    status: str = "COMPLETED"
    action: str = "write"
    steps: int = 1
    seconds: float = 0.0
    queue: str = "default"


KINDS: Final = MappingProxyType(
    {
        "single": Kind(("only",)),
        "double": Kind(("left", "right")),
        "slow": Kind(("slow",), steps=3, seconds=0.4),
        "failing": Kind(("fails",), status="FAILED", action="fail"),
        "waiting": Kind(("waits",), status="TERMINATED", queue=NO_WORKER),
    }
)
"""What each event key starts."""

_STEP: Final = """\
      - id: step{number}
        actionId: ledger:{action}
        timeout: 5s
        retry: {{attempts: 100, backoff: 200ms, max-backoff: 1s}}
        with: {{seconds: {seconds}}}
"""


def write_project(folder: Path, own: str) -> None:
    """Write the workflow files below ``folder``; the workflows are named ``<own>.<key>``."""
    workflows = folder / ".hatchet"
    workflows.mkdir()
    for key, kind in KINDS.items():
        steps = "".join(
            _STEP.format(number=number, action=kind.action, seconds=kind.seconds)
            for number in range(1, kind.steps + 1)
        )
        jobs = "".join(
            f"  {job}:\n    queue: {kind.queue}\n    steps:\n{steps}" for job in kind.jobs
        )
        (workflows / f"{key}.yaml").write_text(f"name: {own}.{key}\non: {key}\njobs:\n{jobs}")


def event_of(workflow_id: str) -> tuple[str, str, str]:
    """Return the event key, the job and the event id of a run, from its documented id."""
    workflow, job, event_id = workflow_id.split("/", 2)
    return workflow.rpartition(".")[2], job, event_id
