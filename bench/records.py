"""The JSON file of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.measurements import Goal, Measurement
from bench.runs import SuiteResult

__all__ = ["record"]


def record(
    results: Iterable[SuiteResult],
    *,
    is_short: bool,
    machine: Mapping[str, Any],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """Return all that was measured, each repetition of it, and where and with what."""
    return {
        "format": 1,
        "form": "short" if is_short else "full",
        "machine": dict(machine),
        "versions": dict(versions),
        "settings": {
            "temporal": "dev stack: development server, SQLite file in a temporary folder, "
            "journal_mode=WAL, synchronous=NORMAL, no web UI",
            "rabbitmq": "dev stack: one node, no management plugin, quorum queues",
            "hatchet": "defaults; logs as JSON into a file",
        },
        "suites": [
            {
                "name": result.name,
                "seconds": round(result.seconds, 1),
                "error": result.error,
                "measurements": [_measurement(item) for item in result.measurements],
            }
            for result in results
        ],
    }


def _measurement(item: Measurement) -> dict[str, Any]:
    return {
        "name": item.name,
        "unit": item.unit,
        "figure": item.figure,
        "limit": item.limit,
        "ratio": item.ratio,
        "goal": _goal(item.goal),
        "met": item.is_met,
        "limit_is": item.limit_is,
        "note": item.note,
        "figures": list(item.figures),
        "limits": list(item.limits),
    }


def _goal(goal: Goal | None) -> str | None:
    return None if goal is None else f"{goal.of} {goal.relation} {goal.bound:g}"
