"""What is made of the figures."""

import io
import json

import pytest
from rich.console import Console

from bench.measurements import Measurement, at_least, at_most, below, interleaved, percentile
from bench.rates import Rate, computing, rates
from bench.records import record
from bench.runs import SuiteResult
from bench.tables import number, table


def measurement(*figures: float, limits: tuple[float, ...] = (), **more: object) -> Measurement:
    """Return a measurement in events/s."""
    return Measurement("some", "events/s", figures, limits, **more)  # type: ignore[arg-type]


def printed(*results: SuiteResult) -> str:
    """Return the table as text."""
    console = Console(file=io.StringIO(), width=110)
    console.print(table(results))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_ratio_is_that_of_neighbours_in_time() -> None:
    """A machine that was three times slower in the first pair does not change the ratio."""
    found = measurement(30, 90, 90, limits=(60, 180, 180))
    assert found.ratio == 0.5
    assert (found.figure, found.limit) == (90, 180)


def test_the_ratio_without_neighbours_is_that_of_the_medians() -> None:
    """Limits that were measured on their own are more, or fewer."""
    assert measurement(1, 2, 9, limits=(4, 4)).ratio == 0.5


def test_without_a_limit_there_is_no_ratio() -> None:
    """Such a figure stands alone, and misses nothing."""
    found = measurement(5)
    assert (found.limit, found.ratio, found.is_met) == (None, None, None)


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (at_least(0.5), True),
        (at_least(0.51), False),
        (at_most(0.5), True),
        (at_most(0.49), False),
        (below(0.5), False),
        (below(10, "figure"), False),
        (below(11, "figure"), True),
        (at_most(10, "figure"), True),
    ],
)
def test_goals_hold_for_the_ratio_or_for_the_figure(goal: object, *, is_met: bool) -> None:
    """The figure is 10, the limit 20."""
    assert measurement(10, limits=(20,), goal=goal).is_met is is_met


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (99, 99), (100, 100), (0.5, 1), (0, 1)]
)
def test_a_percentile_is_one_of_the_values(percent: float, expected: int) -> None:
    """By the nearest rank, in whatever order the values come."""
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_no_values_have_no_percentile() -> None:
    """Where nothing was measured, nothing is told."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


async def test_repetitions_take_turns() -> None:
    """Ours, limit, ours, limit: a slow minute meets both."""
    order: list[str] = []

    async def measured(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = await interleaved(2, lambda: measured("ours"), lambda: measured("limit"))
    assert order == ["ours", "limit", "ours", "limit"]
    assert found == ((1, 3), (2, 4))


def test_the_table_marks_what_misses_its_goal() -> None:
    """And what could not be measured; what was measured before stays."""
    slow = measurement(1, limits=(2,), goal=at_least(0.9))
    fast = measurement(2, limits=(2,), goal=at_least(0.9))
    said = printed(
        SuiteResult("speed", [slow, fast]), SuiteResult("other", [fast], error="it broke")
    ).splitlines()
    rows = [line.split() for line in said if "events/s" in line or "it broke" in line]
    assert [row[-1] for row in rows] == ["MISSED", "ok", "ok", "FAILED"]
    assert rows[0] == ["speed", "some", "1", "2", "events/s", "0.50", "≥", "0.9", "x", "MISSED"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (0.125, "0.12"), (9.994, "9.99"), (12.34, "12.3"), (1234.5, "1,234"), (7, "7")],
)
def test_numbers_have_the_digits_that_count(value: float, expected: str) -> None:
    """Whole numbers have no more than they need."""
    assert number(value) == expected


def test_the_file_has_every_repetition_and_says_what_the_limit_is() -> None:
    """It can be written as JSON, and tells of suites that failed."""
    found = measurement(3, 1, limits=(2, 2), goal=at_least(0.9), limit_is="a loop")
    results = [SuiteResult("speed", [found], 1.25), SuiteResult("other", error="it broke")]
    made = record(results, is_short=True, machine={"cores": 2}, versions={"python": "3"})
    made = json.loads(json.dumps(made))
    assert (made["form"], made["machine"], made["versions"]) == (
        "short",
        {"cores": 2},
        {"python": "3"},
    )
    [speed, other] = made["suites"]
    assert other["error"] == "it broke"
    [only] = speed["measurements"]
    assert (only["figures"], only["limits"], only["limit_is"]) == ([3, 1], [2, 2], "a loop")
    assert (only["ratio"], only["goal"], only["met"]) == (1.0, "ratio ≥ 0.9", True)


def test_a_rate_is_told_by_the_second_and_by_what_it_costs() -> None:
    """Twice as fast in the same time; three times the work for each."""
    ours, limits = [Rate(200, 4, 3)], [Rate(100, 4, 0.5)]
    speed = rates("jobs", "jobs/s", ours, limits, at_least(2), "a loop")
    assert (speed.figures, speed.limits, speed.is_met) == ((50,), (25,), True)
    work = computing("jobs", ours, limits, "a loop")
    assert (work.figures, work.limits, work.ratio, work.goal) == ((15,), (5,), 3, None)
