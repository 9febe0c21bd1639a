"""What a job does next: pure functions of its input and of how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatchet_schemas import ActionId, JobInput, SecretText, Step, StepInput, TemplateError
from hatchet_schemas.conditions import JobStatus, condition_of
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_schemas.modes import Mode
from hatchet_schemas.templates import render
from hatchet_worker.failures import (
    Place,
    condition_failure,
    oversized_input,
    template_failure,
)
from hatchet_worker.payloads import encoded_size
from hatchet_worker.progress import JobProgress

__all__ = ["job_is_wanted", "step_is_wanted", "wanted_input", "wanted_mode"]


def job_is_wanted(job_input: JobInput, progress: JobProgress) -> bool:
    """Return whether the job's ``if`` holds, so that its steps are to run.

    Raises:
        ApplicationError: it cannot be decided.

    """
    text = job_input.definition.if_
    try:
        return text is None or condition_of(text).holds(progress.scope)
    except TemplateError as error:
        raise condition_failure(job_input, error) from None


def step_is_wanted(job_input: JobInput, step: Step, progress: JobProgress) -> bool:
    """Return whether a step is to run as the job now stands.

    Raises:
        ApplicationError: its ``if`` cannot be decided.

    """
    if step.if_ is None:
        return progress.status is JobStatus.SUCCESS
    try:
        return condition_of(step.if_).holds(progress.scope, progress.status)
    except TemplateError as error:
        raise template_failure(Place.of(job_input, step), error.at(("if",))) from None


def wanted_input(job_input: JobInput, step: Step, scope: Mapping[str, Any]) -> StepInput:
    """Return what a step is asked to do, its ``with`` rendered in ``scope``.

    Raises:
        ApplicationError: it cannot be rendered, or is too large.

    """
    place = Place.of(job_input, step)
    secrets: list[SecretText] = []
    try:
        rendered = render(step.with_, scope, ("with",), secrets)
    except TemplateError as error:
        raise template_failure(place, error) from None
    size = encoded_size(rendered)
    if size > MAX_PAYLOAD_BYTES:
        raise oversized_input(place, size, MAX_PAYLOAD_BYTES)
    return StepInput(
        workflow=job_input.workflow,
        job=job_input.job,
        step=step.id,
        action_id=step.action_id,
        event=job_input.event.header,
        with_=rendered,
        secrets=tuple(secrets),
    )


def wanted_mode(step: Step, default_mode: Callable[[ActionId], Mode]) -> Mode:
    """Return how a step runs: as its file says, else as its action does by default.

    A default never makes a local step of one that may take too long for it.
    """
    if step.mode is not None:
        return step.mode
    return default_mode(step.action_id) if step.fits_local else "regular"
