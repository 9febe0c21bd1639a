"""The last line of what `hatchet doctor` says."""

from __future__ import annotations

from hatchet_cli.findings import Finding, summary


def test_a_summary_names_the_problems_and_counts_the_rest() -> None:
    """Whoever has twenty lines before him looks at the last one first."""
    found = [
        Finding("hatchet", "ok", ""),
        Finding("RabbitMQ", "problem", ""),
        Finding("retention", "note", ""),
        Finding("clock", "problem", ""),
    ]

    assert summary(found).strip() == "2 problems: RabbitMQ, clock; 1 note"
    assert summary(found[:1]).strip() == "0 problems; 0 notes"
