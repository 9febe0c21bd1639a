"""What `hatchet doctor` tells: one finding for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hatchet_cli.definitions import counted

__all__ = ["Finding", "summary"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``note`` is worth knowing but stops nothing."""

    subject: str
    state: Literal["ok", "note", "problem"]
    detail: str
    mend: str = ""
    unreachable: bool = False


def summary(findings: Iterable[Finding]) -> str:
    """Return a line that says how much there is to look at, and where the problems are."""
    states = [(finding.state, finding.subject) for finding in findings]
    problems = [subject for state, subject in states if state == "problem"]
    notes = sum(state == "note" for state, _ in states)
    said = f"{counted(len(problems), 'problem')}{': ' if problems else ''}{', '.join(problems)}"
    return f"\n{said}; {counted(notes, 'note')}"
