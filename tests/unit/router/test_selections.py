"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hatchet_router.letters import DeadLetter
from hatchet_router.selections import Selection
from hatchet_schemas import SchemaError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LETTER = DeadLetter(
    **dict.fromkeys(DeadLetter.__slots__)  # type: ignore[arg-type]
    | {
        "key": "order:paid.v2",
        "event_id": "e-1",
        "kind": "undecodable",
        "workflows": ("Billing", "Sign up"),
        "queue": "q",
        "time": NOW - HOUR,
    }
)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({}, True),
        ({"event_id": "e-1"}, True),
        ({"event_id": "e"}, False),
        ({"key": "order:paid.v2"}, True),
        ({"key": "order:*.v2"}, True),
        ({"key": "order.#"}, False),
        ({"key": "order:#"}, True),
        ({"key": "order"}, False),
        ({"kind": "undecodable"}, True),
        ({"kind": "too-large"}, False),
        ({"workflow": "Sign up"}, True),
        ({"workflow": "Sign"}, False),
        ({"queue": "q"}, True),
        ({"queue": "p"}, False),
        ({"older_than": timedelta(minutes=59)}, True),
        ({"older_than": timedelta(minutes=61)}, False),
        ({"newer_than": timedelta(minutes=59)}, False),
        ({"newer_than": timedelta(minutes=61)}, True),
        ({"event_id": "e-1", "kind": "too-large"}, False),
    ],
)
def test_a_letter_is_meant_if_all_holds(wanted: dict[str, Any], *, holds: bool) -> None:
    """Keys are matched as in triggers."""
    assert Selection(**wanted).holds(LETTER, NOW) is holds


def test_a_letter_of_unknown_age_is_neither_older_nor_newer() -> None:
    """Nobody should lose it by an age that it may not have."""
    letter = replace(LETTER, time=None)

    assert not Selection(older_than=HOUR).holds(letter, NOW)
    assert not Selection(newer_than=HOUR).holds(letter, NOW)


def test_what_is_no_pattern_is_refused() -> None:
    """It would match nothing."""
    with pytest.raises(SchemaError, match="whole words"):
        Selection(key="order.pa*")


def test_a_selection_describes_what_was_asked_for() -> None:
    """As the log tells it."""
    selection = Selection(key="a.#", older_than=HOUR)

    assert selection.described() == {"key": "a.#", "older_than": "1h"}
