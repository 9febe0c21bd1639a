"""What `hatchet doctor` tells: one finding for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``note`` is worth knowing but stops nothing."""

    subject: str
    state: Literal["ok", "note", "problem"]
    detail: str
    mend: str = ""
    unreachable: bool = False
