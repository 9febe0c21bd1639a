"""Local steps that may take too long: they run inside a workflow task, which has ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

from hatchet_schemas.durations import format_duration
from hatchet_schemas.errors import shown
from hatchet_schemas.modes import MAX_LOCAL_TIMEOUT, MAX_LOCAL_WAIT
from hatchet_schemas.problems import Finding
from hatchet_schemas.workflows import Step

__all__ = ["local_step_findings"]

Loc = tuple[str | int, ...]


def local_step_findings(step: Step, loc: Loc) -> Iterator[Finding]:
    """Yield what a step has that a local one cannot have; nothing of a regular step."""
    if step.mode != "local":
        return
    if step.timeout > MAX_LOCAL_TIMEOUT:
        yield Finding(
            (*loc, "timeout"),
            f"the timeout of the local step {shown(step.id)} is {format_duration(step.timeout)}: "
            f"at most {format_duration(MAX_LOCAL_TIMEOUT)}, or mode: regular",
            "local-timeout",
        )
    wait = step.retry.longest_wait
    if wait > MAX_LOCAL_WAIT:
        yield Finding(
            (*loc, "retry"),
            f"the local step {shown(step.id)} may wait for {format_duration(wait)} before it is "
            f"tried again: at most {format_duration(MAX_LOCAL_WAIT)}, or mode: regular",
            "local-retry",
            at_key=True,
        )
