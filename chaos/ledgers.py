"""What was published and what ran: kept in a file that nothing under test can change or lose."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

__all__ = ["Ledger", "RunStep"]

_BUSY_SECONDS: Final = 60.0

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS confirmed (event_id TEXT, key TEXT, publisher TEXT, at REAL);
CREATE TABLE IF NOT EXISTS refused (event_id TEXT, publisher TEXT, reason TEXT, at REAL);
CREATE TABLE IF NOT EXISTS ran (
    event_id TEXT, job TEXT, step TEXT, attempt INTEGER, run_id TEXT, at REAL
);
"""
_APPEND_ONLY: Final = """
CREATE TRIGGER IF NOT EXISTS {table}_keeps_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class RunStep:
    """One attempt at one step, as the step itself wrote it down; ``at`` is Unix time."""

    event_id: str
    job: str
    step: str
    attempt: int
    run_id: str
    at: float


class Ledger:
    """An SQLite file that any number of processes append to, and none can take from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._database = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._database.executescript(_SCHEMA)
        # Whoever is killed, what it wrote before is in the operating system's hands.
        self._database.execute("PRAGMA synchronous = OFF")
        for table in ("confirmed", "refused", "ran"):
            for verb in ("UPDATE", "DELETE"):
                self._database.executescript(_APPEND_ONLY.format(table=table, verb=verb))

    def confirm(self, event_id: str, key: str, publisher: str) -> None:
        """Keep that the broker confirmed an event to its publisher."""
        self._append("confirmed", (event_id, key, publisher, time.time()))

    def refuse(self, event_id: str, publisher: str, reason: str) -> None:
        """Keep that one attempt to publish failed, or that its outcome is unknown."""
        self._append("refused", (event_id, publisher, reason, time.time()))

    def run(self, step: RunStep) -> None:
        """Keep that a step is running."""
        self._append(
            "ran", (step.event_id, step.job, step.step, step.attempt, step.run_id, step.at)
        )

    def confirmed(self) -> dict[str, str]:
        """Return the keys of all events that were confirmed, by their ids."""
        return dict(self._rows("SELECT DISTINCT event_id, key FROM confirmed"))

    def confirmed_count(self) -> int:
        """Return how many events were confirmed, however often each."""
        [(count,)] = self._rows("SELECT count(DISTINCT event_id) FROM confirmed")
        return int(count)

    def refusals(self) -> dict[str, int]:
        """Return how often publishing failed, by reason."""
        return dict(self._rows("SELECT reason, count(*) FROM refused GROUP BY reason"))

    def steps(self) -> list[RunStep]:
        """Return all that ran, the first first."""
        rows = self._rows("SELECT event_id, job, step, attempt, run_id, at FROM ran ORDER BY at")
        return [RunStep(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _append(self, table: str, values: Sequence[object]) -> None:
        marks = ", ".join("?" for _ in values)
        with self._lock:
            self._database.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own table names

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query).fetchall()
