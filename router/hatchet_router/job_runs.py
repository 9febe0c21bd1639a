"""What every run of a job bears in Temporal, whether an event or the clock has started it."""

from __future__ import annotations

from typing import Final

from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.common import (
    RawValue,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)

from hatchet_router.errors import JobRefused
from hatchet_schemas import JobInput, ScheduledJobInput
from hatchet_schemas.names import CRON_EVENT_KEY, escaped
from hatchet_schemas.search_attributes import SEARCH_ATTRIBUTES

__all__ = ["JOBS_MEMO", "encoded_input", "search_attributes_of", "summary_of"]

JOBS_MEMO: Final = "hatchet_jobs"
"""The memo that holds how many jobs the same event or time starts."""

_KEYS: Final = tuple(SearchAttributeKey.for_keyword(name) for name in SEARCH_ATTRIBUTES)
# Temporal refuses values of more than 2,048 bytes as JSON, where a character has up to 12.
_MAX_KEYWORD_CHARACTERS: Final = 150


def search_attributes_of(job_input: JobInput | ScheduledJobInput) -> TypedSearchAttributes:
    """Return by what a run is found; no event id where the clock starts it."""
    values = [
        job_input.workflow[:_MAX_KEYWORD_CHARACTERS],
        job_input.job,
        escaped(_event_key(job_input)),
    ]
    if isinstance(job_input, JobInput):
        values.append(escaped(job_input.event.id))
    return TypedSearchAttributes(
        [SearchAttributePair(key, value) for key, value in zip(_KEYS, values, strict=False)]
    )


def summary_of(job_input: JobInput | ScheduledJobInput) -> str:
    """Return what people read about a run in Temporal's web interface."""
    return f"{job_input.workflow} on {escaped(_event_key(job_input))}"


def encoded_input(job_input: JobInput | ScheduledJobInput, max_bytes: int) -> RawValue:
    """Return a job's input as Temporal is to carry it: as JSON, whatever the client's converter.

    Raises:
        JobRefused: it has more than ``max_bytes`` bytes.

    """
    data = to_json(job_input)
    if len(data) > max_bytes:
        of_which = (
            f", of which the event {len(to_json(job_input.event)):,}"
            if isinstance(job_input, JobInput)
            else ""
        )
        raise JobRefused(
            job_input.workflow,
            job_input.job,
            f"its input has {len(data):,} bytes{of_which}; at most {max_bytes:,} fit",
        )
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data))


def _event_key(job_input: JobInput | ScheduledJobInput) -> str:
    return job_input.event.key if isinstance(job_input, JobInput) else CRON_EVENT_KEY
