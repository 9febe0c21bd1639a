"""The table of what became of each scenario."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chaos.runs import Result

__all__ = ["line", "table"]

_TITLES: Final = (
    "scenario",
    "faults",
    "events",
    "lost",
    "twice",
    "dead-lettered",
    "recovery s",
    "router MiB",
    "took s",
    "",
)


def line(result: Result) -> str:
    """Return the result in one line, for those who watch."""
    told = [f"{cell} {title}" for title, cell in zip(_TITLES, _row(result), strict=True) if cell]
    return ", ".join((result.run.name, *told[1:], *result.verdict.findings))


def table(results: Iterable[Result]) -> str:
    """Return the table, with what was found wrong below it."""
    results = list(results)
    rows = [_TITLES, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 or column == len(widths) - 1 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    for result in results:
        for note in result.verdict.notes:
            lines.append(f"{result.run.name}: {note}")  # noqa: PERF401 - two kinds of lines, in turn
        for finding in result.verdict.findings:
            lines.append(f"{result.run.name}: FAILED: {finding}")  # noqa: PERF401
        if result.folder is not None:
            lines.append(f"{result.run.name}: its logs and its ledger are in {result.folder}")
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    verdict = result.verdict
    recovery = "" if verdict.recovery_seconds is None else f"{verdict.recovery_seconds:.1f}"
    memory = "" if verdict.memory is None else "{:.0f} > {:.0f}".format(*verdict.memory)
    return (
        result.run.name,
        str(verdict.faults),
        f"{verdict.events:,}",
        str(verdict.lost),
        str(verdict.twice),
        str(verdict.dead_lettered),
        recovery,
        memory,
        f"{result.seconds:.0f}",
        "" if verdict.is_green else "FAILED",
    )
