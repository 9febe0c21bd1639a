"""By what runs are found in Temporal."""

from __future__ import annotations

from typing import Final

__all__ = ["SEARCH_ATTRIBUTES"]

SEARCH_ATTRIBUTES: Final = (
    "HatchetWorkflow",
    "HatchetJob",
    "HatchetEventKey",
    "HatchetEventId",
)
"""Temporal search attributes of a job, all of type Keyword; all works without them."""
