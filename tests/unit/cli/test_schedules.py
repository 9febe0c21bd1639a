"""Which schedules and times are meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.cli.reports.test_schedules import PAUSED, SCHEDULE

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.schedules import chosen_of, read_span

NOW = datetime(2026, 7, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def test_a_name_means_one_schedule_and_a_workflow_s_name_all_of_its() -> None:
    both = [SCHEDULE, PAUSED]

    assert chosen_of(both, "Report/write", "d") == (SCHEDULE,)
    assert chosen_of(both, "Report/write/2", "d") == (PAUSED,)
    assert chosen_of(both, "Report", "d") == (SCHEDULE, PAUSED)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Report/wrote", "did you mean 'Report/write'?"),
        ("report", "did you mean 'Report'?"),
        ("Zzz", "there are 'Report', 'Report/write'"),
    ],
)
def test_a_name_that_there_is_not_is_answered_with_those_that_there_are(
    name: str, said: str
) -> None:
    with pytest.raises(CommandError, match="deployment 'd' has no schedule ") as caught:
        chosen_of([SCHEDULE], name, "d")

    assert said in str(caught.value)
    assert caught.value.code is ExitCode.USAGE


def test_a_time_is_one_of_the_zone_unless_it_says_otherwise() -> None:
    first = datetime(2026, 3, 28, 5, 30, tzinfo=UTC)
    last = datetime(2026, 3, 29, 4, 30, tzinfo=UTC)

    for texts in (
        ("2026-03-28T06:30", "2026-03-29 06:30:00"),
        ("2026-03-28T06:30+01:00", "2026-03-29T06:30+02:00"),
        ("2026-03-28t05:30z", "2026-03-29T04:30Z"),
    ):
        assert read_span(*texts, BERLIN, NOW) == (first, last)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-30", "2026-03-31T00:00", "--from '2026-03-30' is no time"),
        ("2026-03-30T00:00", "yesterday", "--to 'yesterday' is no time"),
        ("2026-02-30T00:00", "2026-03-31T00:00", "--from '2026-02-30T00:00' is no time"),
        ("1969-12-31T00:00", "2026-03-31T00:00", "--from '1969-12-31T00:00' is no time"),
        ("2026-03-31T00:01", "2026-03-31T00:00", "is later than --to"),
        ("2026-03-29T02:30", "2026-03-31T00:00", "clocks are changed at '2026-03-29T02:30'"),
        ("2025-10-01T00:00", "2025-10-26T02:30", "write --to with its offset"),
        ("2026-01-01T00:00", "2026-07-01T02:01", "is not over yet"),
    ],
)
def test_a_wrong_span_is_told(first: str, last: str, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        read_span(first, last, BERLIN, NOW)

    assert said in str(caught.value)
    assert caught.value.code is ExitCode.USAGE
