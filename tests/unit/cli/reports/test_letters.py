"""Dead letters as people and tools read them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hatchet_cli.reports.letters import (
    JsonArray,
    Row,
    Table,
    as_record,
    as_text,
    with_content,
)
from hatchet_router.letters import DeadLetter

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LETTER = DeadLetter(
    key="order.paid",
    event_id="e-1",
    kind="undecodable",
    message="no \x1b[31mJSON\u202e",
    workflows=("Billing",),
    source=None,
    exchange="hatchet.events",
    queue="hatchet.router",
    time=NOW - timedelta(days=2, hours=3, minutes=4),
    first_time=NOW - timedelta(days=3),
    attempts=2,
    version="1.0",
    replayed_by="ada@laptop",
    replayed_time=NOW,
    body=b'{"b": 1, "a": "\xe2\x80\xae"}',
    properties={"message_id": "e-1", "timestamp": NOW},
    headers={"tenant": "x\ny", "raw": b"\xff", "deep": {"a": [1, None]}},
)


def test_a_table_has_a_header_and_columns_and_no_control_characters() -> None:
    table = Table(NOW)

    assert table.lines([Row(LETTER)]) == [
        "AGE   KEY         ID   KIND         MESSAGE",
        r"2d3h  order.paid  e-1  undecodable  no \x1b[31mJSON\u202e",
    ]
    assert table.lines([Row(replace(LETTER, event_id=None, time=None, key="a" * 12))]) == [
        rf"-     {'a' * 12}  -    undecodable  no \x1b[31mJSON\u202e",
    ]


def test_a_table_of_what_was_done_says_why_it_failed() -> None:
    line = Table(NOW, results=True).lines([Row(LETTER, "failed", "no queue")])[1]

    assert line == "failed  2d3h  order.paid  e-1  undecodable  no queue"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_in_pieces_is_json(count: int) -> None:
    array = JsonArray()
    lines = [line for number in range(count) for line in array.lines([{"n": number}])]

    parsed = json.loads("\n".join([*lines, array.end()]))

    assert parsed == [{"n": number} for number in range(count)]


def test_a_record_has_these_fields_which_tools_rely_on() -> None:
    assert as_record(Row(LETTER)) == {
        "event_id": "e-1",
        "key": "order.paid",
        "kind": "undecodable",
        "message": "no \x1b[31mJSON\u202e",
        "workflows": ["Billing"],
        "source": None,
        "exchange": "hatchet.events",
        "queue": "hatchet.router",
        "time": "2026-02-28T08:56:00.000+00:00",
        "first_time": "2026-02-27T12:00:00.000+00:00",
        "attempts": 2,
        "router_version": "1.0",
        "replayed_by": "ada@laptop",
        "replayed_time": "2026-03-02T12:00:00.000+00:00",
        "body_bytes": 20,
    }
    assert as_record(Row(LETTER, "purged"))["result"] == "purged"


def test_a_record_with_content_is_json_whatever_is_in_it() -> None:
    record: dict[str, Any] = json.loads(json.dumps(with_content(Row(LETTER))))
    binary = with_content(Row(replace(LETTER, body=b"\xff\x00")))

    assert record["body"] == '{"b": 1, "a": "\u202e"}'
    assert record["headers"] == {"tenant": "x\ny", "raw": "_w==", "deep": {"a": [1, None]}}
    assert record["properties"]["message_id"] == "e-1"
    assert binary["body_base64"] == "_wA="
    assert "body" not in binary


def test_a_letter_in_full_has_its_body_as_pretty_json() -> None:
    lines = list(as_text(LETTER, NOW))

    assert "event_id: e-1" in lines
    assert r"message: no \x1b[31mJSON\u202e" in lines
    assert "time: 2026-02-28T08:56:00.000+00:00 (2d3h ago)" in lines
    assert r"  tenant: x\ny" in lines
    assert lines[-5:] == ["body:", "  {", '    "b": 1,', r'    "a": "\u202e"', "  }"]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a": 1, "a": 2}', '  {"a": 1, "a": 2}'),  # not what JSON parsers make of it
        (b"[1]", "  [1]"),
        (b"\xff\xfe", "  (not UTF-8; --body writes it as it is) ff fe"),
        (b"", "  (empty)"),
    ],
)
def test_a_body_that_is_no_event_is_shown_as_it_is(body: bytes, shown: str) -> None:
    assert list(as_text(replace(LETTER, body=body), NOW))[-1] == shown
