"""What starts a workflow: events, and the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hatchet_schemas.conditions import IfExpression
from hatchet_schemas.cron import check_schedule, check_timezone
from hatchet_schemas.durations import Duration, format_duration
from hatchet_schemas.errors import SchemaError
from hatchet_schemas.model import GrammarModel
from hatchet_schemas.patterns import check_pattern

__all__ = ["CronTrigger", "EventTrigger", "GitHubSchedule", "Overlap", "Triggers"]

_MIN_CATCH_UP: Final = timedelta(seconds=10)  # what Temporal takes for a shorter one

EventPattern = Annotated[str, AfterValidator(check_pattern)]
"""An event key, or a pattern with ``*`` and ``#``."""


def _as_list(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


class EventTrigger(GrammarModel):
    """Starts the workflow by an event; in the file a key, or a map with a condition."""

    event: EventPattern
    """An event key, or a pattern: ``*`` stands for one word, ``#`` for any number of words."""

    if_: Annotated[IfExpression | None, Field(alias="if")] = None
    """A condition on the event, such as ``.amount > 100``; it is decided in the router."""

    @model_validator(mode="before")
    @classmethod
    def _from_key(cls, value: object) -> object:
        return {"event": value} if isinstance(value, str) else value


Overlap = Literal["skip", "buffer", "allow", "cancel"]
"""What a time does that comes while the run of an earlier one is still going on."""


def _long_enough(catch_up: timedelta) -> timedelta:
    if catch_up < _MIN_CATCH_UP:
        raise SchemaError(
            f"{format_duration(catch_up)!r} is too short: catch-up is at least "
            f"{format_duration(_MIN_CATCH_UP)}, since Temporal takes no less"
        )
    return catch_up


class _ClockTrigger(GrammarModel):
    """What all triggers by the clock have."""

    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    """The time zone of the schedule, such as Europe/Berlin."""

    overlap: Overlap = "skip"
    """What a time does while an earlier run goes on: nothing, wait, start too, or cancel it."""

    catch_up: Annotated[Duration, AfterValidator(_long_enough), Field(alias="catch-up")] = (
        timedelta(hours=24)
    )
    """How late a time that was missed is still made up for; at least 10s."""

    jitter: Duration | None = None
    """Starts each run later by a random time of at most so long."""


class CronTrigger(_ClockTrigger):
    """Starts the workflow by the clock."""

    schedule: Annotated[str, AfterValidator(check_schedule)]
    """Five cron fields, ``@hourly`` and the like, or ``random_hourly`` and the like."""


class GitHubSchedule(_ClockTrigger):
    """A cron trigger as GitHub Actions spells it."""

    cron: Annotated[str, AfterValidator(check_schedule)]
    """What `CronTrigger` calls ``schedule``."""

    @property
    def as_cron(self) -> CronTrigger:
        """The same in our own words."""
        return CronTrigger(
            schedule=self.cron,
            timezone=self.timezone,
            overlap=self.overlap,
            catch_up=self.catch_up,
            jitter=self.jitter,
        )


class Triggers(GrammarModel):
    """What starts a workflow; in the file a key, a list of keys, or a map of both kinds."""

    events: Annotated[tuple[EventTrigger, ...], BeforeValidator(_as_list), Field(strict=False)] = ()
    """Event keys and patterns, or maps with ``event`` and ``if``."""

    cron: Annotated[tuple[CronTrigger, ...], BeforeValidator(_as_list), Field(strict=False)] = ()
    """Times."""

    schedule: Annotated[
        tuple[GitHubSchedule, ...], BeforeValidator(_as_list), Field(strict=False)
    ] = ()
    """Times, as GitHub Actions spells them: a list of maps with ``cron``."""

    @property
    def crons(self) -> tuple[CronTrigger, ...]:
        """All times, however they were spelt."""
        return (*self.cron, *(item.as_cron for item in self.schedule))

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        return {"events": value} if isinstance(value, (str, list, tuple)) else value

    @model_validator(mode="after")
    def _something_triggers(self) -> Self:
        if not self.events and not self.cron and not self.schedule:
            raise PydanticCustomError(
                "no_trigger", "nothing starts this workflow: expected an event key or a cron"
            )
        return self
