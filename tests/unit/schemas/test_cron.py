from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchet_schemas import SchemaError
from hatchet_schemas.cron import RANDOM_SCHEDULES, check_schedule, check_timezone


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/15 * * * *",
        "49 * * * *",
        "0 9-17 * * mon-fri",
        "0 0 1,15 * *",
        "0 0 29 2 *",
        "5 4 * JAN,jul *",
        "0 0 * * 7",
        "0-30/10 * * * *",
        "@hourly",
        "@daily",
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
        "0 0 * * mon#2",
        "0 0 L * *",
        "0 0 15W * *",
        "0 0 ? * *",
        "H * * * *",
        "@reboot",
        "@midnight",
        "@every 5m",
        "random",
        "\u0663 * * * *",
        "* * * *\u2003*",
    ],
)
def test_other_dialects_are_refused_with_what_was_expected(schedule: str) -> None:
    with pytest.raises(SchemaError, match="is not a schedule"):
        check_schedule(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * foo",
        "*/0 * * * *",
        "** * * * *",
        "1--2 * * * *",
        "*/15/2 * * * *",
        "0-99999999 * * * *",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
    ],
)
def test_what_is_out_of_range_or_never_due_is_refused(schedule: str) -> None:
    with pytest.raises(SchemaError, match="out of range or never due"):
        check_schedule(schedule)


@pytest.mark.parametrize("schedule", ["0 0 13 * 5", "0 0 1 * mon", "0 0 */2 * 1-5"])
def test_a_day_of_month_with_a_day_of_week_is_ambiguous(schedule: str) -> None:
    with pytest.raises(SchemaError, match="is ambiguous: some read"):
        check_schedule(schedule)


@pytest.mark.parametrize("schedule", ["1-1 * * * *", "5-1 * * * *", "0 0 * * fri-mon"])
def test_a_range_rises(schedule: str) -> None:
    with pytest.raises(SchemaError, match="does not rise"):
        check_schedule(schedule)


@pytest.mark.timeout(10)
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
    ],
)
def test_no_other_name_is_a_time_zone(name: str) -> None:
    with pytest.raises(SchemaError, match="is not a time zone: expected") as caught:
        check_timezone(name)
    assert len(str(caught.value)) < 300
