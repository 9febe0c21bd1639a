"""What comes of a case, and how that differs from what is expected."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hatchet_cli.cases.model import Case, ExpectedJob, ExpectedStep, FakeAttempt
from hatchet_cli.cases.reading import PlacedCase
from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.testing import RecordingStarter
from hatchet_worker import NonRetryable
from hatchet_worker.fakes import Fake
from hatchet_worker.testing import JobRun, StepRun, run_job

__all__ = ["CaseResult", "run_case"]


class FakeError(Exception):
    """An action failed, as a case wants it."""


class FinalFakeError(NonRetryable):
    """An action failed, as a case wants it, and is not tried again."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went; it is as expected where there are no ``differences``, lines of text."""

    placed: PlacedCase
    differences: tuple[str, ...]


async def run_case(
    placed: PlacedCase,
    table: RoutingTable,
    variables: Mapping[str, Any],
    *,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
) -> CaseResult:
    """Give the event to a router of ``table``, run the jobs that it starts, and compare.

    ``variables`` are those of the settings; the case's own go before them. ``max_body_bytes`` is
    how large an event can be, as JSON.
    """
    case = placed.case
    starter = RecordingStarter()
    router = Router(
        table, starter, variables={**variables, **case.vars}, max_body_bytes=max_body_bytes
    )
    outcome = await router.handle(_delivery(case))
    if isinstance(outcome, Rejection):
        return CaseResult(placed, (f"the event goes to the dead letters: {outcome.message}",))
    fakes = {name: _fake(attempts) for name, attempts in case.fakes.items()}
    runs = [await run_job(request.input, fakes=fakes) for request in starter.started]
    return CaseResult(placed, tuple(_differences(case, runs)))


def _delivery(case: Case) -> Delivery:
    event = case.event
    return Delivery(
        json.dumps(event.data, ensure_ascii=False, separators=(",", ":")).encode(),
        event.key,
        message_id=event.id,
        timestamp=event.time,
        user_id=event.source,
        content_type="application/json",
    )


def _fake(attempts: Sequence[FakeAttempt]) -> Fake:
    return [_played(each) for each in attempts]


def _played(attempt: FakeAttempt) -> Any:
    if attempt.outputs is not None:
        return attempt.outputs
    return (FinalFakeError if attempt.final else FakeError)(attempt.error)


def _differences(case: Case, runs: Sequence[JobRun]) -> Iterator[str]:
    by_name = {f"{run.workflow}/{run.job}": run for run in runs}
    for name in case.expect:
        if name not in by_name:
            yield f"{name}: expected to start, and did not"
    for name, run in by_name.items():
        if name in case.expect:
            yield from _job_differences(name, case.expect[name], run)
        else:
            yield f"{name}: started, and is not expected to"


def _job_differences(name: str, expected: ExpectedJob, run: JobRun) -> Iterator[str]:
    message = run.failure.message if run.failure else None
    yield from _ending(name, expected.outcome, expected.error, run.outcome, message)
    for step_id, expected_step in expected.steps.items():
        step = next((each for each in run.steps if each.id == step_id), None)
        if step is None:
            yield f"{name}, step {step_id}: the job has run no step"
        else:
            yield from _step_differences(f"{name}, step {step_id}", expected_step, step)


def _step_differences(name: str, expected: ExpectedStep, step: StepRun) -> Iterator[str]:
    message = step.failure.message if step.failure else None
    yield from _ending(name, expected.outcome, expected.error, step.outcome, message)
    if expected.with_ is not None and step.data != expected.with_:
        if step.data is None:
            yield f"{name}: expected a with, and it came to none"
            return
        yield f"{name}: its with differs, - expected, + was"
        before, after = (_lines(data) for data in (expected.with_, step.data))
        _, _, *changes = difflib.unified_diff(before, after, n=2, lineterm="")
        yield from (f"  {line}" for line in changes if not line.startswith("@@"))


def _ending(
    name: str, expected: str, error: str | None, outcome: str, message: str | None
) -> Iterator[str]:
    if outcome != expected:
        reason = f": {message}" if message else ""
        yield f"{name}: expected {expected}, was {outcome}{reason}"
    elif error is not None and error not in (message or ""):
        yield f"{name}: expected an error with {error!r}, was {message!r}"


def _lines(data: Mapping[str, Any]) -> list[str]:
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
