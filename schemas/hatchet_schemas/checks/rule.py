"""Rules: what a workflow file is held to, told once for messages, documents and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["BOOK", "MARKER", "ORDER_PAID", "Rule", "Severity"]

Severity = Literal["error", "warning"]
"""How bad it is to break a rule.

``error``: the file does not load, since it would fail or mean something else than it says.
``warning``: it loads, but is hardly what its author wants.
"""

MARKER: Final = "\N{SECTION SIGN}"
"""Stands in an example before the place at which it breaks its rule."""

ORDER_PAID: Final = """\
name: Order paid
on: order.paid
jobs:
  ship:
    steps:
      - id: reserve
        actionId: stock:reserve
        timeout: 15s
"""
"""A workflow without problems; most examples go on where it ends."""

BOOK: Final = """\
      - id: book
        actionId: ledger:book
        timeout: 15s
"""
"""A second step, which may follow where `ORDER_PAID` ends."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of problem.

    ``name`` is stable. ``summary`` is one sentence on what is wrong, ``advice`` why that matters
    and what to do. ``example`` is the smallest file that breaks the rule, with `MARKER` where it
    does, and ``instead`` what to write in place of that line, nothing where it shall go. A rule
    about the folder has no example.

    ``before`` is a file that is loaded with the example, before it; ``with_actions`` tells that the
    example is checked against the actions of `hatchet_schemas.checks.action_rules`.
    """

    name: str
    severity: Severity
    summary: str
    advice: str
    example: str = ""
    instead: str = ""
    before: str = ""
    with_actions: bool = False
