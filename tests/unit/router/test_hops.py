"""The count of steps that led to an event, which anybody can write."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hatchet_router.dead_letters import without_deaths_in
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery
from hatchet_router.hops import HOPS, hops_in
from hatchet_router.letter_headers import OUR_HEADERS
from hatchet_schemas import Event
from hatchet_schemas.events import MAX_HOPS


@pytest.mark.parametrize(
    "garbage",
    [
        "3",
        "x",
        b"\x03",
        None,
        True,
        1.0,
        Decimal(3),
        [3],
        {"a": 3},
        datetime(2026, 1, 1, tzinfo=UTC),
    ],
)
def test_what_is_no_count_is_none(garbage: Any) -> None:
    """The event is taken all the same."""
    event = decode(Delivery(b"{}", "a", headers={HOPS: garbage}))

    assert isinstance(event, Event)
    assert event.hops == 0


@pytest.mark.parametrize(
    ("said", "hops"), [(-1, 0), (0, 0), (7, 7), (MAX_HOPS + 1, MAX_HOPS), (2**63 - 1, MAX_HOPS)]
)
def test_a_count_is_kept_within_its_bounds(said: int, hops: int) -> None:
    assert hops_in({HOPS: said}) == hops


def test_a_dead_letter_keeps_it() -> None:
    """It is the publisher's header, so that a replay goes on counting."""
    assert HOPS not in OUR_HEADERS
    assert without_deaths_in("queue", {HOPS: 3}) == {HOPS: 3}
