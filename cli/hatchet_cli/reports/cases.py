"""How cases went, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from hatchet_cli.cases.running import CaseResult
from hatchet_cli.reports.printable import printable

__all__ = ["case_lines", "cases_as_json"]


def case_lines(result: CaseResult) -> Iterator[str]:
    """Yield a line for the case, and those of its differences."""
    placed = result.placed
    mark = "✗" if result.differences else "✓"
    where = f"  {placed.path}:{placed.line}" if result.differences else ""
    yield printable(f"{mark} {placed.case.name}{where}")
    for line in result.differences:
        yield printable(f"    {line}")


def cases_as_json(results: Iterable[CaseResult]) -> str:
    """Return how each case went as a JSON list of objects with stable field names."""
    listed = [
        {
            "name": result.placed.case.name,
            "path": result.placed.path,
            "line": result.placed.line,
            "passed": not result.differences,
            "differences": list(result.differences),
        }
        for result in results
    ]
    return json.dumps(listed, indent=2, ensure_ascii=False)
