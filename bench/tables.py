"""The table that is printed in the end."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from bench.measurements import Goal, Measurement
from bench.runs import SuiteResult

__all__ = ["number", "table"]


def table(results: Iterable[SuiteResult]) -> Table:
    """Return the table of all measurements, with a mark at each that misses its goal."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("suite", "figure of"):
        made.add_column(title, overflow="fold")
    for title in ("ours", "limit", "unit", "ratio", "goal", ""):
        made.add_column(title, justify="left" if title == "unit" else "right", no_wrap=True)
    for result in results:
        for measurement in result.measurements:
            made.add_row(result.name, *_cells(measurement))
        if result.error is not None:
            made.add_row(result.name, Text(result.error), *[""] * 5, Text("FAILED", style="red"))
        made.add_section()
    return made


def _cells(measurement: Measurement) -> tuple[str | Text, ...]:
    limit, ratio = measurement.limit, measurement.ratio
    return (
        Text(measurement.name),
        number(measurement.figure),
        "" if limit is None else number(limit),
        measurement.unit,
        "" if ratio is None else number(ratio),
        _told(measurement.goal, measurement.unit),
        _MARKS[measurement.is_met],
    )


_MARKS = {
    True: Text("ok", style="green"),
    False: Text("MISSED", style="bold red"),
    None: Text(""),
}


def _told(goal: Goal | None, unit: str) -> str:
    if goal is None:
        return ""
    of = " x" if goal.of == "ratio" else f" {unit}"
    return f"{goal.relation} {goal.bound:g}{of}"


def number(value: float) -> str:
    """Return ``value`` with three digits that count, or all of its whole part."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004 - likewise
