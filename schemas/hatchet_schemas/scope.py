"""What templates can refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hatchet_schemas.job_input import JobInput

__all__ = ["RESERVED_NAMES", "job_scope", "with_step_outputs"]

RESERVED_NAMES: Final = frozenset({"event", "input", "job", "secrets", "steps", "vars", "workflow"})
"""Names that always mean ours; an event's field of the same name is found under ``.input``."""


def job_scope(job_input: JobInput) -> dict[str, Any]:
    """Return the scope before the first step: the event's fields, and our names over them."""
    event = job_input.event
    fields = {key: value for key, value in event.data.items() if key not in RESERVED_NAMES}
    return {
        **fields,
        "input": event.data,
        "event": {
            "id": event.id,
            "key": event.key,
            "time": event.time.isoformat(),
            "source": event.source,
        },
        "vars": job_input.vars,
        "workflow": job_input.workflow,
        "job": job_input.job,
        "steps": {},
    }


def with_step_outputs(
    scope: Mapping[str, Any], step_id: str, outputs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return ``scope`` with a step's outputs as ``.steps.<id>.outputs.<field>``.

    The short form ``.steps.<id>.<field>`` works too, but for a field named ``outputs``.
    """
    return {**scope, "steps": {**scope["steps"], step_id: {**outputs, "outputs": outputs}}}
