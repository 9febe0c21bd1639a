"""The times that are drawn."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas.cron import RANDOM_SCHEDULES, check_schedule
from hatchet_schemas.draws import drawn


def test_what_is_drawn_never_changes() -> None:
    """Whoever upgrades keeps the times at which his jobs run."""
    assert drawn("random_15_min", "hatchet/Report") == "1,16,31,46 * * * *"
    assert drawn("random_hourly", "hatchet/Report") == "17 * * * *"
    assert drawn("random_daily", "hatchet/Report") == "43 15 * * *"


@given(st.sampled_from(sorted(RANDOM_SCHEDULES)), st.text())
def test_a_draw_is_a_schedule(keyword: str, times: str) -> None:
    """It is one that every cron reads alike, and the same for whoever draws."""
    expression = drawn(keyword, times)

    assert check_schedule(expression) == expression
    assert drawn(keyword, times) == expression


@given(st.text())
def test_every_quarter_of_an_hour_comes_at_one_offset(times: str) -> None:
    """Four minutes, fifteen apart."""
    minutes, *rest = drawn("random_15_min", times).split()

    numbers = [int(minute) for minute in minutes.split(",")]
    assert rest == ["*"] * 4
    assert numbers == [numbers[0] + 15 * quarter for quarter in range(4)]
    assert 0 <= numbers[0] < 15


@pytest.mark.parametrize(
    ("keyword", "outcomes"), [("random_15_min", 15), ("random_hourly", 60), ("random_daily", 1440)]
)
def test_all_draws_are_about_equally_likely(keyword: str, outcomes: int) -> None:
    """Of a hundred draws for each outcome, all come up, and none half as often again.

    The draws are hashes, and so the same each time that this runs.
    """
    counts = Counter(drawn(keyword, f"hatchet/w{number}") for number in range(100 * outcomes))

    assert len(counts) == outcomes
    assert max(counts.values()) < 150
    assert min(counts.values()) > 50


@given(st.text().filter(lambda text: text not in RANDOM_SCHEDULES))
def test_what_is_no_keyword_stays(schedule: str) -> None:
    """Nothing is drawn for it."""
    assert drawn(schedule, "hatchet/Report") == schedule


def test_others_draw_for_themselves() -> None:
    """Another deployment, another workflow, another trigger of the same one."""
    draws = {drawn("random_daily", times) for times in ("a/v", "b/v", "a/x", "a/v/2")}

    assert len(draws) == 4
