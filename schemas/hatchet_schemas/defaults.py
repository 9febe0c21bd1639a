"""What a workflow file says once for all jobs and steps, said to each of them.

A running job carries its definition alone, so that it must be complete without the file. It is
completed before it is validated; what is wrong with a default is reported where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hatchet_schemas.durations import is_duration
from hatchet_schemas.modes import MODES

__all__ = ["with_defaults"]

_PLACEHOLDER_TIMEOUT = "1s"


def with_defaults(workflow: object) -> object:
    """Return a workflow file's data with its ``defaults`` filled in, the given data unchanged."""
    if not isinstance(workflow, dict) or not isinstance(workflow.get("jobs"), dict):
        return workflow
    outer = _map(workflow.get("defaults"))
    jobs = {name: _job(job, outer) for name, job in workflow["jobs"].items()}
    return {**workflow, "jobs": jobs}


def _job(job: object, outer: dict[str, Any]) -> object:
    if not isinstance(job, dict):
        return job
    inner = _map(job.get("defaults"))
    completed = dict(job)
    if "queue" not in job and (queue := _first("queue", (inner, outer))) is not None:
        completed["queue"] = queue
    if isinstance(job.get("steps"), list):
        own = {"mode": job["mode"]} if "mode" in job else {}
        completed["steps"] = [_step(step, ({**inner, **own}, outer)) for step in job["steps"]]
    return completed


def _step(step: object, levels: tuple[dict[str, Any], ...]) -> object:
    if not isinstance(step, dict):
        return step
    completed = dict(step)
    if "name" not in step and isinstance(step.get("id"), str):
        completed["name"] = step["id"]
    if "timeout" not in step and (timeout := _first("timeout", levels)) is not None:
        # A default that is no duration is one problem, not one at each step.
        completed["timeout"] = timeout if is_duration(timeout) else _PLACEHOLDER_TIMEOUT
    # One that is none is a problem where it stands.
    if "mode" not in step and (mode := _first("mode", levels)) in MODES:
        completed["mode"] = mode
    retry = _merged(retry for level in levels if (retry := level.get("retry")) is not None)
    if retry and isinstance(step.get("retry", {}), dict):
        completed["retry"] = {**retry, **step.get("retry", {})}
    return completed


def _merged(retries: Iterable[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for retry in retries:
        merged = {**_map(retry), **merged}
    return merged


def _first(field: str, levels: Iterable[dict[str, Any]]) -> Any:
    return next((level[field] for level in levels if field in level), None)


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
