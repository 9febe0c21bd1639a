"""Printing dead letters while they are read."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import datetime

from hatchet_cli.letter_formats import LetterOutput
from hatchet_cli.reports.letters import JsonArray, Row, Table, as_record, as_text, with_content

__all__ = ["Printer", "write_bytes"]


class Printer:
    """Writes letters to stdout, some at once, and counts them by what was done about them.

    ``content`` prints all of each; otherwise it is a list, with a column of ``results`` if asked
    for.
    """

    def __init__(
        self, output: LetterOutput, now: datetime, *, content: bool = False, results: bool = False
    ) -> None:
        self.counts: dict[str, int] = {}
        """How many letters there were, by their results; without any the result is empty."""
        self._output = output
        self._now = now
        self._content = content
        self._table = Table(now, results=results)
        self._array = JsonArray()

    async def rows(self, rows: list[Row]) -> None:
        """Print further letters."""
        for row in rows:
            result = row.result or ""
            self.counts[result] = self.counts.get(result, 0) + 1
        await _write_lines(self._lines(rows))

    async def end(self) -> None:
        """Print what belongs behind the last letter."""
        if self._output is LetterOutput.JSON:
            await _write_lines([self._array.end()])

    def _lines(self, rows: list[Row]) -> list[str]:
        if self._output is LetterOutput.TEXT:
            if not self._content:
                return self._table.lines(rows)
            return [line for row in rows for line in (*as_text(row.letter, self._now), "")]
        records = [with_content(row) if self._content else as_record(row) for row in rows]
        if self._output is LetterOutput.JSON:
            return self._array.lines(records)
        return [json.dumps(record) for record in records]


async def write_bytes(data: bytes) -> None:
    """Write ``data`` to stdout as it is."""
    # In a thread, since a reader who pauses, as a pager does, must not pause the heartbeats.
    await asyncio.to_thread(_write, data)


async def _write_lines(lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    await write_bytes(text.encode("utf-8", "backslashreplace"))


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
