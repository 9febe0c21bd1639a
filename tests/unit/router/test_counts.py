"""What a router counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatchet_router.counts import EventCounts
from hatchet_router.deliveries import Rejection, Routed, StartedJob
from hatchet_router.reasons import REASONS
from hatchet_router.testing import ROUTED
from hatchet_schemas import Event

JOB = StartedJob("w", "j", "default", "w/j/e-1", duplicate=False)


def routed_at(second: int) -> Routed:
    """Return an event of 12:00:``second`` that has started a job."""
    time = datetime(2026, 1, 2, 12, 0, second, tzinfo=UTC)
    return Routed(Event(id="e-1", key="a", time=time, data={}), (JOB,))


def test_an_event_that_conditions_decline_has_no_lag() -> None:
    counts = EventCounts()

    counts.settled(ROUTED, 0.1)

    assert counts.outcomes["declined"] == 1
    assert (counts.routing.count, counts.lag.count) == (0, 0)


@pytest.mark.parametrize(("second", "lag"), [(0, 8.0), (10, 0.0)])
def test_an_event_s_lag_is_its_age_and_never_negative(second: int, lag: float) -> None:
    """A publisher's clock may be ahead of ours."""
    counts = EventCounts(now=lambda: datetime(2026, 1, 2, 12, 0, 8, tzinfo=UTC).timestamp())

    counts.settled(routed_at(second), 0.1)

    assert counts.outcomes["started"] == 1
    assert (counts.lag.sum, counts.routing.sum) == (lag, 0.1)


def test_each_reason_is_there_before_it_is_needed() -> None:
    """A rate can only be told of what has been 0 before."""
    counts = EventCounts()
    assert set(counts.dead_letters.values()) == {0}

    counts.settled(Rejection("too-large", "no"), 0.1)

    assert (counts.dead_letters["too-large"], counts.outcomes["dead-lettered"]) == (1, 1)


def test_every_reason_is_documented() -> None:
    """It says what to do about such dead letters."""
    text = (Path(__file__).parents[3] / "docs" / "dead-letters.md").read_text()

    assert [reason for reason in REASONS if f"| `{reason}` |" not in text] == []
