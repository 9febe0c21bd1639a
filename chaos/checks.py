"""The checker, checked: with a promise taken away, the suite has to see it broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chaos.verdicts import Verdict

__all__ = ["CHECKS", "Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """What is broken in the router (`chaos.patches`), and the scenario that has to notice it.

    ``noticed`` says whether its verdict tells of it, and not merely of something.
    """

    patch: str
    scenario: str
    noticed: Callable[[Verdict], bool]


def _lost(verdict: Verdict) -> bool:
    return verdict.lost > 0


def _twice(verdict: Verdict) -> bool:
    return verdict.twice > 0


CHECKS: Final = (
    Check("allow-duplicates", "republished", _twice),
    Check("acknowledge-first", "router-kill", _lost),
    Check("drop-head", "queue-full", _lost),
    Check("low-limit", "poison", _lost),
)
"""All checks; each is played in the short form."""
