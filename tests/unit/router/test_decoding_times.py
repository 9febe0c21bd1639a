"""The times that publishers write."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.refusals import Refusal
from hatchet_router.timestamps import read_time


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2018-04-05T17:31:00Z", "2018-04-05T17:31:00+00:00"),
        ("2018-04-05t17:31:00z", "2018-04-05T17:31:00+00:00"),
        ("2018-04-05T17:31:00+02:00", "2018-04-05T15:31:00+00:00"),
        ("2018-04-05T17:31:00-00:00", "2018-04-05T17:31:00+00:00"),
        ("2018-04-05T17:31:00.5Z", "2018-04-05T17:31:00.500000+00:00"),
        ("2018-04-05T17:31:00.1234567Z", "2018-04-05T17:31:00.123456+00:00"),  # .NET
        ("2018-04-05T17:31:00.123456789Z", "2018-04-05T17:31:00.123456+00:00"),  # Go, Java
        ("2018-04-05T17:31:00." + "9" * 10_000 + "Z", "2018-04-05T17:31:00.999999+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2017-01-01T01:59:60.25+02:00", "2017-01-01T00:00:00.250000+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        (
            datetime(2018, 4, 5, 17, tzinfo=timezone(timedelta(hours=2))),
            "2018-04-05T15:00:00+00:00",
        ),
        (1_522_949_460_000, "2018-04-05T17:31:00+00:00"),
        (-1, "1969-12-31T23:59:59.999000+00:00"),
    ],
)
def test_times_are_read(written: Any, time: str) -> None:
    """As RFC 3339 has them, or AMQP."""
    assert read_time(written, "time").isoformat() == time


@pytest.mark.parametrize(
    "written",
    [
        *("", "now", "2018", "2018-04-05", "2018-04-05T17:31:00", "2018-04-05 17:31:00Z"),
        *("2018-04-05T17:31Z", "2018-04-05T24:00:00Z", "2018-04-05T17:60:00Z"),
        *("2018-04-05T17:31:61Z", "2018-02-30T17:31:00Z", "2018-13-05T17:31:00Z"),
        *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2018-W14-4T17:31:00Z"),
        *("2018-04-05T17:31:00,5Z", "2018-04-05T17:31:00.Z", "2018-04-05T17:31:00+2"),
        *(
            "2018-04-05T17:31:00+24:00",
            "2018-04-05T17:31:00Z\n",
            "2018-04-05T17:31:00.123456\uff14Z",
            "\uff12018-04-05T17:31:00Z",
        ),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"),
        *(True, 1.5, 2**63, -(2**63), 10**400, None, [], b"2018-04-05T17:31:00Z"),
    ],
)
def test_anything_else_is_refused_with_what_it_was(written: Any) -> None:
    """Also what ISO 8601 would allow, for which parsers differ."""
    with pytest.raises(Refusal, match=r"^time .+ is no time of RFC 3339 in the years 1 to 9999$"):
        read_time(written, "time")


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_comes_back(time: datetime) -> None:
    """To the microsecond."""
    assert read_time(time.isoformat(), "time") == time
    assert read_time(time.isoformat().replace("+00:00", "Z"), "time") == time
