"""What travels to Temporal: a job's input, and a step's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from hatchet_schemas.actions import ActionId
from hatchet_schemas.events import Event, EventHeader
from hatchet_schemas.model import Model
from hatchet_schemas.names import CRON_EVENT_KEY
from hatchet_schemas.secret_texts import SecretText
from hatchet_schemas.workflows import Job

__all__ = ["JobInput", "ScheduledJobInput", "StepInput"]


class JobInput(Model):
    """All that one run of a job needs; the input of its Temporal workflow.

    The definition travels with it, so that a running job keeps the one it was started with.
    ``vars`` are the workflow's, and those of the router's settings that it does not name.
    ``format`` is this model's version: a job in one that a worker does not know waits for another.
    """

    format: Literal[1] = 1
    workflow: str
    job: str
    event: Event
    vars: dict[str, Any] = Field(default_factory=dict[str, Any])
    definition: Job


class ScheduledJobInput(Model):
    """All that the runs of a job need which the clock starts; the input of their workflows.

    One Temporal Schedule starts them all with this same input, so it holds no time: the worker
    asks Temporal for it. ``schedule`` is what all jobs of a workflow that start at the same times
    have in common; the events' ids are made of it.
    """

    format: Literal[1] = 1
    workflow: str
    job: str
    schedule: str
    vars: dict[str, Any] = Field(default_factory=dict[str, Any])
    definition: Job

    def at(self, time: datetime) -> JobInput:
        """Return the input of the run that is due at ``time``: its event is the time itself.

        The event's id is the same for all jobs of the workflow, and another at any other time.
        """
        due = time.astimezone(UTC)
        event = Event(
            id=f"{self.schedule}@{due:%Y-%m-%dT%H:%M:%SZ}", key=CRON_EVENT_KEY, time=due, data={}
        )
        return JobInput(
            workflow=self.workflow,
            job=self.job,
            event=event,
            vars=self.vars,
            definition=self.definition,
        )


class StepInput(Model):
    """What one step is asked to do; the input of its Temporal activity.

    ``with`` is rendered but for the secrets: where ``secrets`` has a text, it holds a stand-in for
    people to see.
    """

    format: Literal[1] = 1
    workflow: str
    job: str
    step: str
    action_id: Annotated[ActionId, Field(alias="actionId")]
    event: EventHeader
    with_: Annotated[dict[str, Any], Field(alias="with")]
    secrets: Annotated[tuple[SecretText, ...], Field(strict=False)] = ()
