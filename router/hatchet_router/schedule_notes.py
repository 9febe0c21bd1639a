"""What a schedule bears in Temporal to be known again: whose it is, and what it was made of."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, ValidationError

from hatchet_router.schedule_slots import CronTexts
from hatchet_schemas.model import Model

__all__ = ["NOTE", "ScheduleNote", "note_from_json"]

NOTE: Final = "hatchet_schedule"
"""The memo of a schedule's action, and so of the runs, that holds the note."""


class ScheduleNote(Model):
    """Of which deployment, workflow, job and cron trigger a schedule is.

    ``schedule`` to ``jitter`` are the trigger as written, durations as text; ``expression`` is what
    ``schedule`` stands for, and ``slot`` which of the workflow's triggers it is. Two schedules with
    the same ``fingerprint`` do the same.
    """

    # A note of a later version may have more to say.
    model_config = ConfigDict(extra="ignore")

    deployment: str
    workflow: str
    job: str
    slot: int
    schedule: str
    timezone: str
    overlap: str
    catch_up: str
    jitter: str
    expression: str
    fingerprint: str

    @property
    def cron_texts(self) -> CronTexts:
        """The cron trigger by its texts."""
        return (self.schedule, self.timezone, self.overlap, self.catch_up, self.jitter)


def note_from_json(text: bytes) -> ScheduleNote | None:
    """Return the note, or None if it is not one of ours."""
    try:
        return ScheduleNote.model_validate_json(text)
    except ValidationError:
        return None
