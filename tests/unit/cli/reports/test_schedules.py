"""Schedules as people and tools read them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hatchet_cli.reports.schedules import Times, as_lines, as_record, as_table
from hatchet_router.schedule_list import ListedSchedule, ScheduleCounts, ScheduledRun

DUE = datetime(2026, 3, 27, 5, 30, tzinfo=UTC)
RUN = ScheduledRun("Report/write/~cron@d-2026-03-27T05:30:00Z", "r-1", DUE, DUE)
SCHEDULE = ListedSchedule(
    id="d/Report/write",
    workflow="Report",
    job="write",
    slot=1,
    cron="30 6 * * *",
    expression="30 6 * * *",
    timezone="Europe/Berlin",
    overlap="skip",
    catch_up=timedelta(hours=1),
    jitter=timedelta(seconds=30),
    queue="slow",
    paused=False,
    note="",
    # Clocks go forward in the night before the third.
    next_times=tuple(datetime(2026, 3, *at, tzinfo=UTC) for at in ((28, 5, 30), (29, 4, 30))),
    recent=(replace(RUN, run_id="r-0", due=DUE - timedelta(days=1)), RUN),
    running=(),
    counts=ScheduleCounts(started=7, missed=1, skipped=2, dropped=3, waiting=4),
)
PAUSED = replace(
    SCHEDULE,
    id="d/Report/write/2",
    slot=2,
    cron="random_hourly",
    expression="17 * * * *",
    paused=True,
    note="disk\x1b[31m\nfull",
    recent=(),
)


def test_a_table_has_times_of_the_zone_the_last_state_and_why_it_is_paused() -> None:
    header, first, second = as_table([SCHEDULE, PAUSED], {"r-1": "TIMED_OUT"})

    cells = [
        [text.strip() for text in line.split("  ") if text.strip()]
        for line in (header, first, second)
    ]
    assert cells == [
        ["NAME", "CRON", "TIME ZONE", "NEXT", "LAST", "STATE", "PAUSED"],
        [
            "Report/write",
            "30 6 * * *",
            "Europe/Berlin",
            "2026-03-28 06:30:00 +01:00",
            "2026-03-27 06:30:00 +01:00",
            "timed out",
            "no",
        ],
        [
            "Report/write/2",
            "random_hourly (17 * * * *)",
            "Europe/Berlin",
            "-",
            "-",
            "-",
            r"disk\x1b[31m\nfull",
        ],
    ]
    assert header.index("PAUSED") == first.rindex("no") == second.index("disk")


def test_a_schedule_that_is_paused_without_a_note_is_shown_as_paused() -> None:
    assert as_table([replace(PAUSED, note="")], {})[1].endswith(" yes")


def test_a_run_that_temporal_has_forgotten_is_told_as_such() -> None:
    assert "forgotten" in as_table([SCHEDULE], {"r-1": None})[1]


def test_lines_tell_all_of_a_schedule_the_latest_run_first() -> None:
    lines = list(as_lines(SCHEDULE, {"r-0": "RUNNING", "r-1": "COMPLETED"}))

    assert lines == [
        "name: Report/write",
        "id: d/Report/write",
        "cron: 30 6 * * *",
        "time zone: Europe/Berlin",
        "overlap: skip",
        "catch-up: 1h",
        "jitter: 30s",
        "queue: slow",
        "paused: no",
        "runs: 7 started, 4 waiting; times left out: 1 missed, 2 skipped, 3 dropped",
        "next times:",
        "  2026-03-28 06:30:00 +01:00",
        "  2026-03-29 06:30:00 +02:00",
        "running:",
        f"  {RUN.workflow_id}",
        "latest runs:",
        f"  2026-03-27 06:30:00 +01:00  completed  {RUN.workflow_id}",
        f"  2026-03-26 06:30:00 +01:00  running  {RUN.workflow_id}",
    ]


def test_lines_of_one_that_is_paused_say_why_and_that_nothing_starts() -> None:
    lines = list(as_lines(replace(PAUSED, jitter=None), {}))

    assert "paused: yes" in lines
    assert r"note: disk\x1b[31m\nfull" in lines
    assert "next times, if it were not paused:" in lines
    assert "jitter: none" in lines
    assert lines[-4:] == ["running:", "  none", "latest runs:", "  none"]


def test_a_record_has_all_in_utc_and_is_json() -> None:
    running = replace(SCHEDULE, running=("w-9",))
    record = as_record(running, {"r-0": None, "r-1": "RUNNING"})

    assert json.loads(json.dumps(record)) == record
    assert record["next_times"] == ["2026-03-28T05:30:00+00:00", "2026-03-29T04:30:00+00:00"]
    assert [run["state"] for run in record["recent"]] == [None, "RUNNING"]
    assert record["running"] == ["w-9", RUN.workflow_id]
    assert record["counts"] == {
        "started": 7,
        "missed": 1,
        "skipped": 2,
        "dropped": 3,
        "waiting": 4,
    }
    assert (record["name"], record["catch_up"], record["jitter"]) == ("Report/write", "1h", "30s")


def test_times_stand_beside_utc_and_no_more_than_asked_for() -> None:
    times = Times(SCHEDULE, SCHEDULE.next_times)

    assert list(times.lines()) == [
        "Report/write  30 6 * * *  Europe/Berlin",
        "  2026-03-28 06:30:00 +01:00  2026-03-28 05:30:00 UTC",
        "  2026-03-29 06:30:00 +02:00  2026-03-29 04:30:00 UTC",
    ]
    assert list(times.lines(1))[2:] == ["  … and 1 more"]
    assert list(Times(PAUSED, ()).lines()) == [
        "Report/write/2  random_hourly (17 * * * *)  Europe/Berlin",
        r"  paused, so nothing starts at its times: disk\x1b[31m\nfull",
    ]
    assert times.record()["times"][1] == {
        "local": "2026-03-29T06:30:00+02:00",
        "utc": "2026-03-29T04:30:00+00:00",
    }
