"""Jobs and steps that cannot do what their file says: conditions that never hold, and timeouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from hatchet_schemas.checks.truths import can_hold
from hatchet_schemas.conditions import STATUS_FUNCTIONS, Condition, JobStatus, condition_of
from hatchet_schemas.durations import format_duration
from hatchet_schemas.errors import shown
from hatchet_schemas.problems import Finding
from hatchet_schemas.workflows import Job

__all__ = ["early_condition_findings", "step_findings"]

Loc = tuple[str | int, ...]


def early_condition_findings(
    condition: Condition, loc: Loc, owner: Literal["trigger", "job"]
) -> Iterator[Finding]:
    """Yield what is wrong with the condition of a trigger or of a job."""
    if condition.functions:
        offset, name = min(
            (condition.source.find(name), name)
            for name in STATUS_FUNCTIONS
            if name in condition.functions
        )
        yield Finding(
            loc,
            f"{name}() asks how the steps before went: it can stand in the if of a step, "
            f"not of a {owner}",
            "status-function",
            offset=offset,
        )
    elif not can_hold(condition, (JobStatus.SUCCESS,)):
        effect = "this trigger starts nothing" if owner == "trigger" else "this job runs no step"
        yield Finding(loc, f"the condition is false whatever happens: {effect}", "never-true")


def step_findings(job: Job, loc: Loc) -> Iterator[Finding]:
    """Yield what is suspicious about the order and the times of a job's steps."""
    failure_is_possible = False
    for index, step in enumerate(job.steps):
        if job.timeout is not None and step.timeout > job.timeout:
            yield Finding(
                (*loc, "steps", index, "timeout"),
                f"the timeout of step {shown(step.id)}, {format_duration(step.timeout)}, is longer "
                f"than that of the whole job, {format_duration(job.timeout)}, which ends it first",
                "timeout-order",
            )
        may_run = True
        if step.if_ is not None:
            condition = condition_of(step.if_)
            reason = _why_never(condition, failure_is_possible=failure_is_possible, first=not index)
            if reason is not None:
                may_run = bool(condition.references)  # what it refers to may still be missing
                message = f"step {shown(step.id)} never runs: {reason}"
                yield Finding((*loc, "steps", index, "if"), message, "unreachable-step")
        failure_is_possible |= may_run and not step.continue_on_error


def _why_never(condition: Condition, *, failure_is_possible: bool, first: bool) -> str | None:
    statuses = {JobStatus.SUCCESS, JobStatus.CANCELLED}
    if failure_is_possible:
        statuses.add(JobStatus.FAILURE)
    if can_hold(condition, statuses):
        return None
    if not failure_is_possible and can_hold(condition, tuple(JobStatus)):
        if first:
            return "it waits for a failure, and is the first step of its job"
        return (
            "it waits for a failure, and no step before it can fail the job "
            "(failures with continue-on-error do not count)"
        )
    return "its condition is false whatever happens"
