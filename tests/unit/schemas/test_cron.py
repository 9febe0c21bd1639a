from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchet_schemas import SchemaError
from hatchet_schemas.cron import (
    RANDOM_SCHEDULES,
    ScheduleError,
    check_schedule,
    check_timezone,
)

MOST_STEP = 2**31 - 1


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/15 * * * *",
        "49 * * * *",
        "0 9-17 * * mon-fri",
        "0 0 1,15 * *",
        "0 0 29 2 *",
        "0 0 31,1 2 *",
        "5 4 * JAN,jul *",
        "0 0 1 jan-Mar/2,DEC *",
        "0 0 * * 7",
        "0 0 * * 0-7",
        "0 0 * * 5-7",
        "0 0 * * 1-7/2",
        "0 0 * * 1-6,7",
        "0 0 * * 1/4",
        "0 0 * * sun/2",
        "0-30/10 * * * *",
        "05 0007 * * *",
        "3/20 * * * *",
        "59/1 * * * *",
        "*/90 * * * *",
        f"*/{MOST_STEP} * * * *",
        "*,5 * * * *",
        "@hourly",
        "@daily",
        "@midnight",
        *sorted(RANDOM_SCHEDULES),
    ],
)
def test_the_common_part_of_cron_is_taken(schedule: str) -> None:
    assert check_schedule(schedule) == schedule


@pytest.mark.parametrize("schedule", ["  *  * * *\t* ", "*\n* * * *"])
def test_the_fields_are_set_apart_by_one_space(schedule: str) -> None:
    assert check_schedule(schedule) == "* * * * *"


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "* * * * * *",
        "* * * *\u2003*",
        "@reboot",
        "@Hourly",
        " @daily",
        "@every 5m",
        "random",
    ],
)
def test_what_has_not_five_fields_is_refused_with_what_was_expected(schedule: str) -> None:
    with pytest.raises(ScheduleError, match="is not a schedule: expected five") as caught:
        check_schedule(schedule)
    assert caught.value.offset is None


@pytest.mark.parametrize(
    ("schedule", "item", "reason"),
    [
        ("60 * * * *", "60", "minute '60' is not from 0 to 59"),
        ("5,0-60/2 * * * *", "0-60/2", "minute '60' is not from 0 to 59"),
        ("* 24 * * *", "24", "hour '24' is not from 0 to 23"),
        ("* jan * * *", "jan", "hour 'jan' is not from 0 to 23"),
        ("* * 0 * *", "0", "day of month '0' is not from 1 to 31"),
        ("* * 1,5,32 * *", "32", "day of month '32' is not from 1 to 31"),
        ("* * * 13 *", "13", "month '13' is not from 1 to 12, nor one of jan, feb, mar, "),
        ("* * * mon *", "mon", "month 'mon' is not from"),
        ("* * * * 8", "8", "day of week '8' is not from 0 to 7, nor one of sun, mon, "),
        ("* * * * foo", "foo", "day of week 'foo' is not from"),
        ("* * * * mon,sunday", "sunday", "day of week 'sunday' is not from"),
        ("* * L * *", "L", "day of month 'L' is not from"),
        ("* * 15W * *", "15W", "day of month '15W' is not from"),
        ("H * * * *", "H", "minute 'H' is not from"),
        ("* 99999999999 * * *", "99999999999", "hour '99999999999' is not from 0 to 23"),
        ("* * * * mon#2", "mon#2", "'mon#2' is no day of week: expected *, a number, "),
        ("* * ? * *", "?", "'?' is no day of month: expected"),
        ("** * * * *", "**", "'**' is no minute: expected"),
        ("*-5 * * * *", "*-5", "'*-5' is no minute: expected"),
        ("1--2 * * * *", "1--2", "'1--2' is no minute: expected"),
        ("* -1 * * *", "-1", "'-1' is no hour: expected"),
        ("* 1- * * *", "1-", "'1-' is no hour: expected"),
        ("* 1-2-3 * * *", "1-2-3", "'1-2-3' is no hour: expected"),
        ("*/15/2 * * * *", "*/15/2", "'*/15/2' is no minute: expected"),
        ("*/ * * * *", "*/", "'*/' is no minute: expected"),
        ("*/jan * * * *", "*/jan", "'*/jan' is no minute: expected"),
        ("\u0663 * * * *", "\u0663", "'\u0663' is no minute: expected"),
        ("* * * * *\x1f", "*\x1f", r"'*\x1f' is no day of week: expected"),
        ("*/0 * * * *", "*/0", "a step is a number from 1 to 2147483647, not '0'"),
        ("*/2147483648 * * * *", "*/2147483648", "a step is a number from 1 to 2147483647, not"),
        ("*/4294967297 * * * *", "*/4294967297", "a step is a number from 1 to 2147483647, not"),
        ("1,,2 * * * *", ",2", "'' is no minute: expected"),
    ],
)
def test_a_reason_and_where_it_begins_are_told(schedule: str, item: str, reason: str) -> None:
    with pytest.raises(ScheduleError, match=re.escape(f"is not a schedule: {reason}")) as caught:
        check_schedule(schedule)
    assert caught.value.offset == schedule.index(item)


@pytest.mark.parametrize(
    ("schedule", "item", "reason"),
    [
        ("1-1 * * * *", "1-1", "some read 1-1 as 1 alone, some as all there is; write 1"),
        ("0 0 * * tue-TUE/3", "tue", "some read tue-TUE/3 as 2 alone, .* write 2"),
        ("0 22-6 * * *", "22-6", "the range 22-6 does not rise; write 22-23,0-6"),
        ("0 3,23-0 * * *", "23-0", "the range 23-0 does not rise; write 23,0"),
        ("0 22-6/2 * * *", "22-6/2", "the range 22-6/2 does not rise"),
        ("0 0 1 nov-Feb *", "nov-Feb", "the range nov-Feb does not rise; write 11-12,1-2"),
        ("0 0 * * fri-mon", "fri-mon", "the range fri-mon does not rise; write 5-7,1"),
        ("0 0 * * sat-sun", "sat-sun", "the range sat-sun does not rise; write 6-7"),
        ("0 0 * * mon-sun", "mon-sun", "the range mon-sun does not rise; write 0-6"),
        ("0 0 * * 7-2", "7-2", "the range 7-2 does not rise; write 7,1-2"),
    ],
)
def test_a_range_rises(schedule: str, item: str, reason: str) -> None:
    with pytest.raises(ScheduleError, match=f"is not a schedule: {reason}$") as caught:
        check_schedule(schedule)
    assert caught.value.offset == schedule.index(item)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ("1-7", "Temporal leaves Sunday out of 1-7; write 0-6"),
        ("mon-7/1", "Temporal leaves Sunday out of mon-7/1; write 0-6"),
        ("1/2", "some end 1/2 on Saturday, some on Sunday; write 1-6/2 or 1-7/2"),
        ("mon/1", "some end mon/1 on Saturday, some on Sunday; write 1-6 or 0-6"),
        ("5/1", "some end 5/1 on Saturday, some on Sunday; write 5-6 or 5-7"),
        ("sat/1", "some end sat/1 on Saturday, some on Sunday; write 6 or 6-7"),
        ("7/2", "some read 7/2 as 7 alone, some as 0/2; write 7 or 0/2"),
    ],
)
def test_days_of_the_week_of_which_sunday_is_disputed_are_refused(days: str, reason: str) -> None:
    with pytest.raises(ScheduleError, match=f"is not a schedule: {re.escape(reason)}$") as caught:
        check_schedule(f"0 0 * * 3,{days}")
    assert caught.value.offset == 10


def test_whatever_a_message_says_to_write_is_taken() -> None:
    """All ranges and steps of the day of week and the hour, with one and two digits."""
    refused = 0
    for schedule in (
        *(f"0 0 * * {low}-{high}" for low in range(8) for high in range(8)),
        *(f"0 0 * * {low}/{step}" for low in range(8) for step in range(1, 9)),
        *(f"0 {low}-{high} * * *" for low in range(24) for high in range(24)),
    ):
        try:
            check_schedule(schedule)
        except ScheduleError as error:
            refused += 1
            _, advice = str(error).split("; write ")
            before, after = schedule[: error.offset], schedule[error.offset :].partition(" ")[1:]
            for written in advice.split(" or "):
                assert check_schedule("".join((before, written, *after)))
    assert refused > 300


@pytest.mark.parametrize("schedule", ["0 0 13 * 5", "0 0 1 * mon", "0 0 */2 * 1-5", "0 0 *,1 * 1"])
def test_a_day_of_month_with_a_day_of_week_is_ambiguous(schedule: str) -> None:
    with pytest.raises(ScheduleError, match="is ambiguous: some read") as caught:
        check_schedule(schedule)
    assert caught.value.offset == schedule.rindex(" ") + 1


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 30,31 feb *"])
def test_what_is_never_due_is_refused(schedule: str) -> None:
    _, _, day, month, _ = schedule.split()
    reason = f"is never due: the month '{month}' has no day '{day}'"
    with pytest.raises(ScheduleError, match=reason) as caught:
        check_schedule(schedule)
    assert caught.value.offset == 4


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "schedule",
    ["*" * 80_000 + " * * * *", "1" * 80_000 + " * * * *", "1-59/1," * 20_000 + "x * * * *"],
)
def test_a_long_schedule_is_refused_soon_and_shortly(schedule: str) -> None:
    with pytest.raises(SchemaError) as caught:
        check_schedule(schedule)
    assert len(str(caught.value)) < 600


FIELDS = st.text("0123456789*/,-monjulFRI", min_size=1, max_size=6)


@given(st.lists(FIELDS, min_size=4, max_size=6).map(" ".join) | st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_schedule_or_an_error(schedule: str) -> None:
    try:
        taken = check_schedule(schedule)
    except SchemaError:
        return
    assert taken in RANDOM_SCHEDULES or taken.startswith("@") or len(taken.split(" ")) == 5
    assert check_schedule(taken) == taken


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_time_zones_have_iana_names(name: str) -> None:
    assert check_timezone(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../UTC",
        "/etc/passwd",
        "Europe",
        "Europe/",
        "Mars/Olympus",
        "zone.tab",
        "a\0b",
        "\U0001f600",
        "\ud800",
        "x" * 5000,
        "Factory",
        "localtime",
        "posixrules",
        "posix/UTC",
        "right/UTC",
        "Local",
        "utc",
        "europe/berlin",
    ],
)
def test_no_other_name_is_a_time_zone(name: str) -> None:
    with pytest.raises(SchemaError, match="is not a time zone: expected") as caught:
        check_timezone(name)
    assert len(str(caught.value)) < 300
