"""Which time a run has that is triggered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hatchet_router.schedule_actions import run_for, trigger_time
from hatchet_router.schedule_list import ListedSchedule, ScheduleCounts, ScheduledRun

NOW = datetime(2026, 3, 27, 5, 30, 7, 123456, tzinfo=UTC)
SCHEDULE = ListedSchedule(
    id="d/Report/write",
    workflow="Report",
    job="write",
    slot=1,
    cron="@daily",
    expression="@daily",
    timezone="UTC",
    overlap="skip",
    catch_up=timedelta(hours=1),
    jitter=None,
    queue="default",
    paused=False,
    note="",
    next_times=(),
    recent=(),
    running=(),
    counts=ScheduleCounts(started=0, missed=0, skipped=0, dropped=0, waiting=0),
)


def ran(*seconds: int) -> ListedSchedule:
    """Return a schedule that was triggered in these seconds of the minute."""
    return replace(
        SCHEDULE,
        recent=tuple(
            ScheduledRun(f"Report/write/~cron@d-2026-03-27T05:30:{each:02}Z", f"r-{each}", NOW, NOW)
            for each in seconds
        ),
    )


def test_it_is_the_second_of_the_command_in_utc() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=2)))

    assert trigger_time(local, [SCHEDULE]) == NOW.replace(microsecond=0)


def test_a_second_that_has_a_run_of_any_of_the_schedules_is_not_taken_again() -> None:
    assert trigger_time(NOW, [ran(7), ran(5, 8)]) == NOW.replace(second=9, microsecond=0)


def test_a_whole_minute_is_left_to_the_clock() -> None:
    """The run of that time would not start: its id would be taken."""
    assert trigger_time(NOW.replace(second=0), [SCHEDULE]) == NOW.replace(second=1, microsecond=0)


def test_the_run_of_a_time_is_found() -> None:
    runs = ran(7, 8).recent

    assert run_for(NOW.replace(second=8), runs) == runs[1]
    assert run_for(NOW.replace(second=9), runs) is None
