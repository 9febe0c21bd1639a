"""What a Temporal user writes instead of a workflow file: a workflow for each job.

As Temporal's own samples do: typed inputs, the activities imported through the sandbox, and nothing
but a timeout where the SDK has a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

__all__ = ["NoteInput", "NoteResult", "OneStep", "OrderPaid", "ThreeSteps", "note"]


@dataclass
class OrderPaid:
    """The event that starts a workflow."""

    user: dict[str, Any]
    order: dict[str, Any]


@dataclass
class NoteInput:
    """What an activity gets."""

    name: str
    order: int
    before: int


@dataclass
class NoteResult:
    """What it returns."""

    number: int
    name: str


@activity.defn
async def note(given: NoteInput) -> NoteResult:
    """Return a number, one more than that of the activity before."""
    return NoteResult(given.before + 1, given.name)


@workflow.defn
class OneStep:
    """A workflow of one activity."""

    @workflow.run
    async def run(self, event: OrderPaid) -> NoteResult:
        """Run it."""
        return await workflow.execute_activity(
            note,
            NoteInput(event.user["name"], event.order["id"], 0),
            start_to_close_timeout=timedelta(seconds=5),
        )


@workflow.defn
class ThreeSteps:
    """A workflow of three activities, each of which is handed what the one before returned."""

    @workflow.run
    async def run(self, event: OrderPaid) -> NoteResult:
        """Run them."""
        result = NoteResult(0, "")
        for _ in range(3):
            result = await workflow.execute_activity(
                note,
                NoteInput(event.user["name"], event.order["id"], result.number),
                start_to_close_timeout=timedelta(seconds=5),
            )
        return result
