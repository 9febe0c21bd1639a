"""From facts to a verdict: pure functions that know nothing of the program that is judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from chaos.facts import Facts, Fault, Letter, Run
from chaos.programs import Weight
from chaos.projects import KINDS

__all__ = ["Verdict", "judge"]

_SHOWN: Final = 3
_LONG_ENOUGH_SAMPLES: Final = 60  # half a minute
_GROWTH_MIB: Final = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a scenario's events; green where there are no ``findings``.

    ``lost`` counts events that were confirmed and are neither started, with all their jobs, nor
    dead-lettered with a reason; ``twice`` jobs with more than one run. ``recovery_seconds`` is the
    longest time from a fault's end to the next start.
    """

    faults: int
    events: int
    lost: int
    twice: int
    dead_lettered: int
    recovery_seconds: float | None
    memory: tuple[float, float] | None
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether every invariant held."""
        return not self.findings


def judge(facts: Facts) -> Verdict:
    """Return the verdict on ``facts``."""
    jobs: dict[str, set[str]] = defaultdict(set)
    for run in facts.runs:
        jobs[run.event_id].add(run.job)
    with_reason = {letter.event_id for letter in facts.letters if letter.reason}
    lost = sorted(
        event_id
        for event_id, key in facts.confirmed.items()
        if event_id not in with_reason and not jobs[event_id].issuperset(KINDS[key].jobs)
    )
    twice = sorted(_twice(facts))
    findings = [
        *_finding(lost, "lost: neither started with all jobs nor dead-lettered with a reason"),
        *_finding(twice, "started twice"),
        *_letter_findings(facts, jobs),
        *_run_findings(facts),
        *_left_over(facts.waiting),
        *_growth(facts.weights),
        *facts.observations,
    ]
    return Verdict(
        faults=len(facts.faults),
        events=len(facts.confirmed),
        lost=len(lost),
        twice=len(twice),
        dead_lettered=len({letter.event_id for letter in facts.letters}),
        recovery_seconds=_recovery(facts),
        memory=_memory(facts.weights),
        findings=tuple(findings),
        notes=facts.notes,
    )


def _twice(facts: Facts) -> set[str]:
    """Return the jobs with more than one run, as Temporal has them or as the ledger does."""
    runs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for run in facts.runs:
        runs[run.event_id, run.job].add(run.run_id)
    for step in facts.steps:
        runs[step.event_id, step.job].add(step.run_id)
    return {f"{event_id}/{job}" for (event_id, job), ids in runs.items() if len(ids) > 1}


def _letter_findings(facts: Facts, jobs: dict[str, set[str]]) -> Iterator[str]:
    letters = facts.letters
    silent = [_said(letter) for letter in letters if not letter.reason]
    yield from _finding(silent, "dead-lettered without a reason")
    healthy = [_said(letter) for letter in letters if letter.event_id not in facts.bad]
    yield from _finding(healthy, "healthy, and dead-lettered")
    both = {_said(letter) for letter in letters if letter.event_id and jobs[letter.event_id]}
    yield from _finding(sorted(both), "started and dead-lettered")
    lettered = {letter.event_id for letter in letters}
    yield from _finding(sorted(facts.bad - lettered), "not dead-lettered, though it had to be")


def _run_findings(facts: Facts) -> Iterator[str]:
    wrong = [_told(run) for run in facts.runs if run.status != KINDS[run.key].status]
    yield from _finding(wrong, "did not end as it had to")
    ran = {(step.event_id, step.job) for step in facts.steps}
    idle = [
        _told(run)
        for run in facts.runs
        if run.status in {"COMPLETED", "FAILED"} and (run.event_id, run.job) not in ran
    ]
    yield from _finding(idle, "ended, and the ledger knows of no step")
    unasked = [_told(run) for run in facts.runs if run.event_id not in facts.confirmed]
    yield from _finding(unasked, "started, though nobody published it")


def _left_over(waiting: int | None) -> Iterator[str]:
    if waiting is None:
        yield "the router's queue is not there in the end"
    elif waiting:
        yield f"{waiting} messages left in the router's queue"


def _growth(weights: Iterable[Weight]) -> Iterator[str]:
    for weight in weights:
        early, late = _early_and_late(weight)
        if late - early > _GROWTH_MIB:
            yield f"memory of {weight.name} grew from {early:.0f} to {late:.0f} MiB"


def _early_and_late(weight: Weight) -> tuple[float, float]:
    """Return the memory after start-up and at the end; the same where it did not live long."""
    samples = weight.samples
    if len(samples) < _LONG_ENOUGH_SAMPLES:
        highest = max(samples, default=0.0)
        return highest, highest
    quarter = len(samples) // 4
    return median(samples[quarter : 2 * quarter]), median(samples[-quarter:])


def _memory(weights: Iterable[Weight]) -> tuple[float, float] | None:
    """Return the memory of the process that grew most, early and late."""
    pairs = [_early_and_late(weight) for weight in weights if weight.samples]
    return max(pairs, key=lambda pair: pair[1] - pair[0], default=None)


def _recovery(facts: Facts) -> float | None:
    starts = sorted(run.started for run in facts.runs)
    measured = [*facts.recoveries]
    for fault, until in _with_next(facts.faults):
        after = [start for start in starts if fault.ended <= start < until]
        if after:
            measured.append(after[0] - fault.ended)
    return max(measured, default=None)


def _with_next(faults: tuple[Fault, ...]) -> Iterator[tuple[Fault, float]]:
    """Yield each fault with when the next begins, which says nothing of this one any more."""
    for index, fault in enumerate(faults):
        later = [other.began for other in faults[index + 1 :] if other.began >= fault.ended]
        yield fault, min(later, default=float("inf"))


def _finding(cases: list[str], what: str) -> Iterator[str]:
    if cases:
        names = ", ".join(name for name, _ in Counter(cases).most_common(_SHOWN))
        more = "" if len(cases) <= _SHOWN else ", …"
        yield f"{len(cases)} {what}: {names}{more}"


def _said(letter: Letter) -> str:
    return f"{letter.event_id} ({letter.reason})"


def _told(run: Run) -> str:
    return f"{run.event_id}/{run.job} {run.status}"
