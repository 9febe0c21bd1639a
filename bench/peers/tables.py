"""The table of Hatchet and its peers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.peers.results import PeerResult

__all__ = ["line", "table"]

_TITLES: Final = ("", "version", "jobs", "jobs/s", "of Hatchet's", "one job ms", "p95 ms")
_MISSING: Final = "-"


def table(results: Sequence[PeerResult]) -> str:
    """Return the table, the first line's being what others are compared with; settings below."""
    rows = [_TITLES, *(_row(result, results[0]) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.append("")
    lines += [f"{result.name}: {result.settings}" for result in results]
    lines += [
        f"{result.name} could not be measured: {result.problem}"
        for result in results
        if result.problem
    ]
    return "\n".join(lines)


def line(result: PeerResult) -> str:
    """Return the result in one line, for those who watch."""
    if result.report is None:
        return f"{result.name}: not measured"
    return f"{result.name}: {_figure(result.jobs_per_second)} jobs/s"


def _row(result: PeerResult, ours: PeerResult) -> tuple[str, ...]:
    if result.report is None:
        return (result.name, *[_MISSING] * (len(_TITLES) - 1))
    rate, our_rate = result.jobs_per_second, ours.jobs_per_second
    return (
        result.name,
        result.report.version,
        str(result.report.jobs),
        _figure(rate),
        f"{rate / our_rate:.2f}" if rate and our_rate else _MISSING,
        _figure(result.single_ms(50)),
        _figure(result.single_ms(95)),
    )


def _figure(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.1f}"
