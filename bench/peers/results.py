"""What became of one peer, and the figures that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from bench.peers.measuring import MARK, Report

__all__ = ["PeerResult", "merged", "report_in"]

_PERCENTS = 100


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What a peer measured (``report``), or why it could not (``problem``)."""

    name: str
    settings: str
    report: Report | None = None
    problem: str | None = None

    @property
    def jobs_per_second(self) -> float | None:
        """The median of the rounds."""
        return self.report.jobs / median(self.report.rounds) if self.report else None

    def single_ms(self, percent: int) -> float | None:
        """Return a percentile of how long one job alone took, in milliseconds."""
        return percentile(self.report.singles, percent) * 1000 if self.report else None


def percentile(values: Iterable[float], percent: int) -> float:
    """Return the value below which so many percent of ``values``, two or more, are."""
    return quantiles(values, n=_PERCENTS, method="inclusive")[percent - 1]


def report_in(output: str) -> Report | None:
    """Return the last report in what a peer's process has printed, None if there is none.

    Raises:
        ValueError: the report is none that `measuring` makes.

    """
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if not lines:
        return None
    told: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    try:
        return Report(
            str(told["version"]),
            int(told["jobs"]),
            tuple(float(seconds) for seconds in told["rounds"]),
            tuple(float(seconds) for seconds in told["singles"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{lines[-1]!r} is no report: {error!r}") from error


def merged(results: Iterable[PeerResult]) -> PeerResult:
    """Return one peer's results, one or more, as one; a problem in any is the peer's problem."""
    first, *others = results
    for other in others:
        if first.report is None or other.report is None:
            return first if first.report is None else other
        report = Report(
            first.report.version,
            first.report.jobs,
            (*first.report.rounds, *other.report.rounds),
            (*first.report.singles, *other.report.singles),
        )
        first = PeerResult(first.name, first.settings, report)
    return first
