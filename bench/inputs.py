"""The inputs of jobs, as the router makes them, for those who start the same jobs without it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from bench.processes import MeasuringFailed
from bench.projects import EVENT
from hatchet_router.job_runs import encoded_input
from hatchet_router.planning import plan
from hatchet_schemas import Event, SourceFile, load_definitions
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES

__all__ = ["job_inputs"]

_TIME: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def job_inputs(file: str, key: str) -> list[dict[str, Any]]:
    """Return the input of each job that an event ``key`` starts by this workflow file."""
    definitions, problems = load_definitions([SourceFile("bench.yaml", file.encode())])
    if problems:
        raise MeasuringFailed(f"a workflow file of the bench is wrong: {problems[0]}")
    event = Event(id="none", key=key, time=_TIME, data=EVENT)
    requests = plan(event, [definition.workflow for definition in definitions])
    return [
        json.loads(encoded_input(request.input, MAX_PAYLOAD_BYTES).payload.data)
        for request in requests
    ]
