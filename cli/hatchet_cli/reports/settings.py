"""Settings, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from hatchet_cli.settings.report import SettingRow

__all__ = ["as_json", "as_text"]


def as_text(rows: Sequence[SettingRow], *, show_origin: bool = False) -> str:
    """Return a line ``NAME=value`` for each row, behind its origin where that is wanted."""
    width = max((len(row.origin) for row in rows), default=0)
    return "\n".join(
        (f"{row.origin:<{width}}  " if show_origin else "") + f"{row.name}={row.value or ''}"
        for row in rows
    )


def as_json(rows: Sequence[SettingRow]) -> str:
    """Return the rows as a JSON array of objects."""
    return json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False)
