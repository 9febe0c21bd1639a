"""When an event happened: what publishers write, as a time in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hatchet_router.refusals import Refusal, shown

__all__ = ["read_time", "utc"]

# RFC 3339, section 5.6; its ABNF knows neither week dates, commas nor an hour of 24.
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LEAP_SECOND: Final = "60"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def utc(time: datetime, what: str) -> datetime:
    """Return ``time`` in UTC; one without a zone is taken for UTC, as AMQP's timestamps are.

    Raises:
        Refusal: in UTC it is not in the years 1 to 9999.

    """
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise _not_a_time(time.isoformat(), what) from None


def read_time(value: Any, what: str) -> datetime:
    """Return the time that a publisher wrote as ``value``; ``what`` names it.

    It is a text of RFC 3339, a timestamp as AMQP has it, or a number of milliseconds since 1970
    (CloudEvents' AMQP binding, section 3.1.3.2). Of a second's fraction microseconds are kept; a
    leap second is the first of the next minute, as in POSIX.

    Raises:
        Refusal: it is none of these.

    """
    try:
        match value:
            case datetime():
                return utc(value, what)
            case int() if not isinstance(value, bool):
                return _EPOCH + timedelta(milliseconds=value)
            case str() if found := _RFC_3339.fullmatch(value):
                return utc(_of_parts(*found.groups()), what)
            case _:
                raise _not_a_time(value, what)
    except (ValueError, OverflowError) as error:
        if isinstance(error, Refusal):
            raise
        raise _not_a_time(value, what) from None


def _of_parts(date: str, minute: str, second: str, fraction: str | None, zone: str) -> datetime:
    leap = second == _LEAP_SECOND
    microseconds = (fraction or "")[:6].ljust(6, "0")
    zone = "+00:00" if zone in "Zz" else zone
    time = datetime.fromisoformat(
        f"{date}T{minute}:{'59' if leap else second}.{microseconds}{zone}"
    )
    return time + timedelta(seconds=1) if leap else time


def _not_a_time(value: object, what: str) -> Refusal:
    return Refusal(f"{what} {shown(value)} is no time of RFC 3339 in the years 1 to 9999")
