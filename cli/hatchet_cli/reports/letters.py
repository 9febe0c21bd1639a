"""Dead letters as texts for a terminal and as JSON for tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import indent
from typing import Any, Final

from pydantic_core import to_jsonable_python

from hatchet_cli.reports.printable import printable
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.letters import DeadLetter

__all__ = ["JsonArray", "Row", "Table", "as_record", "as_text", "with_content"]

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_HEX_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Row:
    """A letter in a list, and what was done about it: ``result``, and ``detail`` if it failed."""

    letter: DeadLetter
    result: str | None = None
    detail: str | None = None


class Table:
    """Rows in columns, which grow with what is in them."""

    def __init__(self, now: datetime, *, results: bool = False) -> None:
        self._now = now
        names = ("RESULT",) * results + ("AGE", "KEY", "ID", "KIND", "MESSAGE")
        self._widths = [0] * len(names)
        self._header: tuple[str, ...] | None = names

    def lines(self, rows: Iterable[Row]) -> list[str]:
        """Return the lines of further rows, under a header if they are the first."""
        cells = [self._cells(row) for row in rows]
        if self._header is not None:
            cells.insert(0, self._header)
            self._header = None
        self._widths = [
            max(width, *map(len, column))
            for width, column in zip(self._widths, zip(*cells, strict=True), strict=True)
        ]
        return [
            "  ".join(
                cell.ljust(width) for cell, width in zip(line, self._widths, strict=True)
            ).rstrip()
            for line in cells
        ]

    def _cells(self, row: Row) -> tuple[str, ...]:
        letter = row.letter
        cells = (
            _age(letter.time, self._now),
            printable(letter.key),
            printable(letter.event_id or "-"),
            printable(letter.kind),
            printable(row.detail or letter.message),
        )
        return cells if row.result is None else (row.result, *cells)


class JsonArray:
    """A JSON array that is written piece by piece."""

    def __init__(self) -> None:
        self._is_empty = True

    def lines(self, items: Iterable[Any]) -> list[str]:
        """Return the lines of further items."""
        lines: list[str] = []
        for item in items:
            lines.append(f"{'[' if self._is_empty else ','}\n{indent(_json(item), '  ')}")
            self._is_empty = False
        return lines

    def end(self) -> str:
        """Return the last line."""
        return "[]" if self._is_empty else "]"


def as_record(row: Row) -> dict[str, Any]:
    """Return what a list tells of a letter: all but headers, properties and body."""
    letter = row.letter
    record: dict[str, Any] = {
        "event_id": letter.event_id,
        "key": letter.key,
        "kind": letter.kind,
        "message": letter.message,
        "workflows": list(letter.workflows),
        "source": letter.source,
        "exchange": letter.exchange,
        "queue": letter.queue,
        "time": _iso(letter.time),
        "first_time": _iso(letter.first_time),
        "attempts": letter.attempts,
        "router_version": letter.version,
        "replayed_by": letter.replayed_by,
        "replayed_time": _iso(letter.replayed_time),
        "body_bytes": len(letter.body),
    }
    if row.result is not None:
        record |= {"result": row.result, "detail": row.detail}
    return record


def with_content(row: Row) -> dict[str, Any]:
    """Return all that there is; a body that is not UTF-8 is in Base64."""
    letter = row.letter
    try:
        body = {"body": letter.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": to_jsonable_python(letter.body, bytes_mode="base64")}
    return {
        **as_record(row),
        "properties": _jsonable(letter.properties),
        "headers": _jsonable(letter.headers),
        **body,
    }


def as_text(letter: DeadLetter, now: datetime) -> Iterator[str]:
    """Yield the lines that tell all of a letter to a person."""
    # What stands in properties and headers besides is told once.
    record = as_record(Row(letter))
    for name, value in record.items():
        if value not in (None, []):
            told = ", ".join(value) if isinstance(value, list) else str(value)
            ago = f" ({_age(getattr(letter, name), now)} ago)" if name.endswith("time") else ""
            yield f"{name}: {printable(told)}{ago}"
    for title, values in (("properties", letter.properties), ("headers", letter.headers)):
        yield f"{title}:"
        for name, value in _jsonable(values).items():
            yield f"  {printable(name)}: {_one_line(value)}"
    yield "body:"
    for line in _body(letter):
        yield f"  {printable(line)}"


def _body(letter: DeadLetter) -> list[str]:
    read = decode(Delivery(letter.body, letter.key), max_body_bytes=len(letter.body))
    if not isinstance(read, Rejection):
        return json.dumps(read.data, indent=2, ensure_ascii=False).splitlines()
    # As it is, since what is wrong with it may be what is looked for.
    try:
        return letter.body.decode().splitlines() or ["(empty)"]
    except UnicodeDecodeError:
        start = letter.body[:_HEX_BYTES].hex(" ")
        return [f"(not UTF-8; --body writes it as it is) {start}"]


def _age(time: datetime | None, now: datetime) -> str:
    if time is None:
        return "-"
    seconds = max(int((now - time) / timedelta(seconds=1)), 0)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return "".join(parts[:2]) or "0s"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds")


def _jsonable(values: Any) -> Any:
    return to_jsonable_python(
        dict(values), bytes_mode="base64", inf_nan_mode="strings", fallback=str
    )


def _one_line(value: Any) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)
