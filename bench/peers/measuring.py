"""What a peer's own process does: it runs the job, takes times, checks results and reports.

It runs in the peers' environment, so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Protocol

__all__ = ["MARK", "STEPS", "Amounts", "Jobs", "Report", "amounts", "measure"]

STEPS: Final = 3
"""How many steps the job has; each adds 1 to the number that it is given."""

MARK: Final = "PEER-REPORT "
"""What the line with the report begins with, among whatever else the libraries print."""

_WARM_UP_JOBS: Final = 10


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much a peer has to do: ``rounds`` times ``jobs`` at once, then ``singles`` by turns."""

    jobs: int
    rounds: int
    singles: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a peer measured, in seconds: each round of ``jobs``, and each single job."""

    version: str
    jobs: int
    rounds: tuple[float, ...]
    singles: tuple[float, ...]

    def line(self) -> str:
        """Return it as the one line that the runner looks for."""
        return MARK + json.dumps(asdict(self))


class Jobs(Protocol):
    """How jobs are run with one peer."""

    async def run(self, numbers: Sequence[int]) -> None:
        """Trigger a job for each number at once; return when the last has its result kept.

        No number comes twice.
        """

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return the kept results of these jobs, in their order; no clock runs."""
        ...


def amounts() -> Amounts:
    """Return what the runner wants, from the command line."""
    return Amounts(**json.loads(sys.argv[1]))


async def measure(jobs: Jobs, version: str) -> None:
    """Do what the runner wants, and print the report.

    Raises:
        RuntimeError: a job has another result than it should.

    """
    wanted = amounts()
    first = 1

    async def seconds(count: int) -> float:
        nonlocal first
        numbers = range(first, first + count)
        first += count
        begin = time.perf_counter()
        await jobs.run(numbers)
        taken = time.perf_counter() - begin
        results = list(await jobs.results(numbers))
        if results != [number + STEPS for number in numbers]:
            raise RuntimeError(f"the results of {numbers} are wrong: {results[:5]!r} ...")
        return taken

    await seconds(_WARM_UP_JOBS)
    await seconds(1)
    rounds = [await seconds(wanted.jobs) for _ in range(wanted.rounds)]
    singles = [await seconds(1) for _ in range(wanted.singles)]
    report = Report(version, wanted.jobs, tuple(rounds), tuple(singles))
    print(report.line(), flush=True)  # noqa: T201 - the runner reads it
