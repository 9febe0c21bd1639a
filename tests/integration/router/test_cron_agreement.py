"""The schedules that we accept, as croniter and Temporal read them, and Temporal's time zones.

``HATCHET_FUZZ_EXAMPLES`` schedules are drawn, fifty where that is not set, always the same ones.
Of each all times of a year are compared, every other one a leap year. Where there are fewer than
500 of them, one that is due more than 9000 times a year is compared only in the year's first
week, and on the last day of each month and the day after it. All in UTC: where a clock is changed
the two differ.
"""

from __future__ import annotations

import os
import random
import zoneinfo
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from math import prod
from typing import Any

import pytest
from croniter import CroniterError, croniter  # type: ignore[import-untyped,unused-ignore]
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError

from hatchet_schemas import SchemaError
from hatchet_schemas.cron import check_schedule, check_timezone

EXAMPLES = int(os.environ.get("HATCHET_FUZZ_EXAMPLES", "50"))
FULL_YEAR = 9000 if EXAMPLES < 500 else 366 * 24 * 60
"""Times a year up to which all are compared; an hourly schedule has 8784 in a leap year."""

NICKNAMES = "@yearly @annually @monthly @weekly @daily @midnight @hourly".split()
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
FIELDS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, DAYS)]
WHOLE = (60, 24, 31, 12, 7)
PAGE = 1000
"""Times that Temporal lists in one answer, at most."""

SECOND = timedelta(seconds=1)


def accepts(check: Callable[[str], str], text: str) -> bool:
    try:
        return bool(check(text))
    except SchemaError:
        return False


def drawn_schedules(seed: int) -> Iterator[str]:
    """Draw schedules of all that the grammar has, also what may be refused."""
    draw = random.Random(seed)  # noqa: S311 - the same ones in each run

    def value(low: int, high: int, names: list[str]) -> str:
        number = draw.randint(low, high)
        if names and draw.random() < 0.4:
            name = names[(number - low) % len(names)]
            return draw.choice([name, name.upper(), name.title()])
        return f"{number:02}" if draw.random() < 0.1 else str(number)

    def item(low: int, high: int, names: list[str]) -> str:
        step = draw.choice([*range(1, high + 2), 90, 2**31 - 1])
        first, last = value(low, high, names), value(low, high, names)
        stepped = [f"{first}-{last}/{step}", f"{first}/{step}", f"*/{step}"]
        return draw.choice([*[first] * 4, f"{first}-{last}", *stepped])

    def field(low: int, high: int, names: list[str]) -> str:
        if draw.random() < (0.05 if high > 12 else 0.4):
            return "*"
        items = [item(low, high, names) for _ in range(draw.choice([1, 1, 1, 2, 3]))]
        return ",".join([*items, "*"] if draw.random() < 0.01 else items)

    while True:
        if draw.random() < 0.03:
            yield draw.choice(NICKNAMES)
        fields = [field(*kind) for kind in FIELDS]
        fields[draw.choice([2, 4])] = "*"
        yield draw.choice([" ", "  ", "\t"]).join(fields)


def accepted_schedules(seed: int) -> Iterator[str]:
    """Draw schedules that we take, as we take them."""
    for schedule in drawn_schedules(seed):
        if accepts(check_schedule, schedule):
            yield check_schedule(schedule)


def croniter_times(schedule: str, start: datetime, end: datetime) -> list[datetime]:
    """Return when croniter says it is due, from ``start`` on and before ``end``."""
    due: Any = croniter(schedule, start - SECOND, ret_type=datetime)
    times: list[datetime] = []
    while (time := due.get_next()) < end:
        times.append(time)
    return times


def times_a_year(schedule: str) -> float:
    """Return about how often it is due in a year."""
    shares = [
        1 if "*" in values else len(values) / whole
        for values, whole in zip(croniter.expand(schedule)[0], WHOLE, strict=True)
    ]
    return 366 * 24 * 60 * prod(shares)


def year(number: int) -> tuple[datetime, datetime]:
    return datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC)


def windows(number: int) -> list[tuple[datetime, datetime]]:
    """Return the parts of a year in which a schedule is compared that is due very often."""
    start, end = year(number)
    firsts = [start.replace(month=month) for month in range(2, 13)]
    return [
        (start, start + timedelta(days=7)),
        *((first - timedelta(days=1), first + timedelta(days=1)) for first in firsts),
        (end - timedelta(days=1), end),
    ]


class Temporal:
    """Asks Temporal when schedules are due."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._ids = (f"{name}-{number}" for number in count())

    @asynccontextmanager
    async def schedule(self, cron: str, zone: str = "UTC") -> AsyncIterator[str]:
        """Have a schedule, paused, for as long as the context lasts; gives its id."""
        handle = await self._client.create_schedule(
            next(self._ids),
            Schedule(
                ScheduleActionStartWorkflow("never", id="never", task_queue="never"),
                spec=ScheduleSpec(cron_expressions=[cron], time_zone_name=zone),
                state=ScheduleState(paused=True),
            ),
        )
        try:
            yield handle.id
        finally:
            await handle.delete()

    async def times(self, schedule_id: str, start: datetime, end: datetime) -> list[datetime]:
        """Return when it is due, from ``start`` on and before ``end``."""
        request = ListScheduleMatchingTimesRequest(namespace="default", schedule_id=schedule_id)
        request.end_time.FromDatetime(end - SECOND)
        after = start - SECOND
        times: list[datetime] = []
        while True:
            request.start_time.FromDatetime(after)
            page = await self._client.workflow_service.list_schedule_matching_times(request)
            times += (time.ToDatetime(UTC) for time in page.start_time)
            if len(page.start_time) < PAGE:
                return times
            after = times[-1]

    async def local_times(self, cron: str, zone: str, day: str) -> list[str]:
        """Return when it is due on one day of a time zone, by the clock there."""
        start = datetime.fromisoformat(day).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        end = start + timedelta(days=1)
        async with self.schedule(cron, zone) as schedule_id:
            times = await self.times(schedule_id, start.astimezone(UTC), end.astimezone(UTC))
        return [f"{time.astimezone(start.tzinfo):%H:%M%z}" for time in times]


@pytest.fixture
def temporal(client: Client, name: str) -> Temporal:
    """Ask the Temporal of the run."""
    return Temporal(client, name)


@pytest.mark.timeout(60 + 5 * EXAMPLES)
async def test_croniter_and_temporal_read_alike_what_we_accept(temporal: Temporal) -> None:
    compared = 0
    full = 0
    for number, cron in enumerate(islice(accepted_schedules(seed=2027), EXAMPLES)):
        in_full = times_a_year(cron) <= FULL_YEAR
        of = 2027 + number % 2
        async with temporal.schedule(cron) as schedule_id:
            for start, end in [year(of)] if in_full else windows(of):
                expected = croniter_times(cron, start, end)
                assert await temporal.times(schedule_id, start, end) == expected, cron
                compared += len(expected)
        full += in_full
    print(f"{EXAMPLES} schedules, {full} of them a whole year, {compared} times")  # noqa: T201
    assert full > EXAMPLES // 3
    assert compared > EXAMPLES


async def test_croniter_and_temporal_read_the_days_of_the_week_alike(temporal: Temporal) -> None:
    """All days, ranges and steps that we accept: Sunday is where the two differ most."""
    start = datetime(2027, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=7)
    steps = [f"{day}/{step}" for day in [*range(8), "*"] for step in range(1, 9)]
    ranges = [f"{first}-{last}" for first in range(8) for last in range(8)]
    crons = [f"0 0 * * {days}" for days in [*map(str, range(8)), *ranges, *steps]]
    accepted = [cron for cron in crons if accepts(check_schedule, cron)]

    for cron in accepted:
        async with temporal.schedule(cron) as schedule_id:
            expected = croniter_times(cron, start, end)
            assert await temporal.times(schedule_id, start, end) == expected, cron
    assert len(accepted) > 80


@pytest.mark.parametrize(
    "cron",
    [
        *("1-1 * * * *", "0 22-6 * * *", "0 0 * nov-feb *", "0 0 * * fri-sun", "0 0 * * 7-7"),
        *("0 0 * * 1-7", "0 0 * * 1/2", "0 0 * * mon/3", "0 0 * * 6/1", "0 0 * * 7/2"),
        *("*/4294967297 * * * *", "*/2147483648 * * * *", "0 0 13 * fri", "0 0 */1 * mon"),
        *("0 0 L * *", "0 0 15W * *", "0 0 ? * *", "0 0 * * 1#2", "0 0 * * sunday"),
        *("@Hourly", "@every 5m", "0 0 1 1 * 2027"),
    ],
)
async def test_what_we_refuse_they_read_differently(cron: str, temporal: Temporal) -> None:
    """Or one does not read it at all. Where they do no longer, it can be taken."""
    with pytest.raises(SchemaError):
        check_schedule(cron)
    start, end = year(2027)[0], datetime(2027, 2, 1, tzinfo=UTC)

    found: list[list[datetime] | None] = [None, None]
    with suppress(CroniterError):
        found[0] = croniter_times(cron, start, end)
    with suppress(RPCError):
        async with temporal.schedule(cron) as schedule_id:
            found[1] = await temporal.times(schedule_id, start, end)

    assert found[0] != found[1]


async def test_what_is_due_on_29_february_alone_is_found(
    client: Client, temporal: Temporal
) -> None:
    """However far off: Temporal looks on until the year 2100."""
    async with temporal.schedule("0 0 29 2 *") as schedule_id:
        description = await client.get_schedule_handle(schedule_id).describe()
        times = await temporal.times(schedule_id, year(2027)[0], year(2099)[0])

    assert [(time.month, time.day) for time in description.info.next_action_times][:1] == [(2, 29)]
    assert [time.year for time in times] == list(range(2028, 2099, 4))


async def test_temporal_knows_the_time_zones_that_we_accept(temporal: Temporal) -> None:
    zones = sorted(zone for zone in zoneinfo.available_timezones() if accepts(check_timezone, zone))
    some = zones[:: max(1, len(zones) // EXAMPLES)]

    for zone in some:
        async with temporal.schedule("@yearly", zone):
            pass

    assert len(zones) > 500
    assert {"Europe/Berlin", "UTC", "Asia/Kathmandu"} < set(zones)


@pytest.mark.parametrize(
    ("zone", "day", "cron", "times"),
    [
        # In the night in which the hour from 2 to 3 is left out.
        ("Europe/Berlin", "2027-03-28", "0 2 * * *", []),
        ("Europe/Berlin", "2027-03-28", "30 2 * * *", []),
        ("Europe/Berlin", "2027-03-28", "30 1,2,3 * * *", ["01:30+0100", "03:30+0200"]),
        ("America/New_York", "2027-03-14", "30 2 * * *", []),
        ("America/New_York", "2027-03-14", "0 2,3 * * *", ["03:00-0400"]),
        # In the night in which an hour comes twice.
        ("America/New_York", "2027-11-07", "30 1 * * *", ["01:30-0400", "01:30-0500"]),
        ("America/New_York", "2027-11-07", "30 2 * * *", ["02:30-0500"]),
        ("Europe/Berlin", "2027-10-31", "30 2 * * *", ["02:30+0100"]),
        ("Europe/Berlin", "2027-10-31", "30 1 * * *", ["01:30+0200", "02:30+0200"]),
        ("Europe/Berlin", "2027-10-31", "30 3 * * *", ["03:30+0100"]),
        ("Europe/London", "2027-10-31", "30 0 * * *", ["00:30+0100", "01:30+0100"]),
        ("Africa/Cairo", "2027-04-30", "@daily", []),
        ("UTC", "2027-10-31", "30 1,2 * * *", ["01:30+0000", "02:30+0000"]),
    ],
)
async def test_when_the_clock_is_changed(
    zone: str, day: str, cron: str, times: list[str], temporal: Temporal
) -> None:
    assert await temporal.local_times(cron, zone, day) == times


async def test_what_is_often_due_in_a_night_in_which_the_clock_is_changed(
    temporal: Temporal,
) -> None:
    """The hour that comes twice is 25 hours' worth of times west of Greenwich, not east of it."""
    spring = await temporal.local_times("*/30 0-4 * * *", "Europe/Berlin", "2027-03-28")
    new_york = await temporal.local_times("*/20 * * * *", "America/New_York", "2027-11-07")
    berlin = await temporal.local_times("*/20 0-3 * * *", "Europe/Berlin", "2027-10-31")

    assert [time for time in spring if time.startswith("02")] == []
    assert len(spring) == 8
    assert len(new_york) == 75
    assert berlin[5:] == ["01:40+0200", "02:00+0200", "02:20+0100", "03:40+0100"]
