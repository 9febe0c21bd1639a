"""Cron schedules: the part of cron on which croniter and Temporal agree."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter  # type: ignore[import-untyped,unused-ignore]

from hatchet_schemas.errors import SchemaError, shown

__all__ = ["RANDOM_SCHEDULES", "check_schedule", "check_timezone"]

RANDOM_SCHEDULES: Final = frozenset({"random_15_min", "random_hourly", "random_daily"})
"""Schedules whose minute (and hour) is drawn once, so that not all jobs start at minute 0."""

_NICKNAMES: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"})
_FIELDS: Final = 5
_RANGE: Final = re.compile(r"(\w+)-(\w+)", re.ASCII)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NUMBERS: Final = {
    **{name: number for number, name in enumerate(_DAYS)},
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
}
# Numbers, names of months and days, and the operators * , - /. No L, W, H, #, ?, no seconds.
_FIELD: Final = re.compile(r"(?:[0-9*]|[A-Za-z]{3}|[,/-])+", re.ASCII)


def check_schedule(schedule: str) -> str:
    """Return ``schedule`` if it is one we accept.

    Raises:
        SchemaError: it is neither five plain cron fields, nor ``@hourly`` and the like, nor one
            of `RANDOM_SCHEDULES`, or it never comes due.

    """
    if schedule in RANDOM_SCHEDULES or schedule in _NICKNAMES:
        return schedule
    fields = schedule.split()
    if len(fields) != _FIELDS or not all(_FIELD.fullmatch(field) for field in fields):
        raise SchemaError(
            f"{shown(schedule)} is not a schedule: expected five cron fields, such as "
            f"'*/15 * * * *' (minute, hour, day of month, month, day of week), one of "
            f"{', '.join(sorted(_NICKNAMES))}, or one of {', '.join(sorted(RANDOM_SCHEDULES))}"
        )
    if not croniter.is_valid(schedule, strict=True):
        raise SchemaError(
            f"{shown(schedule)} is not a schedule: a field is out of range or never due"
        )
    if fields[2] != "*" and fields[4] != "*":
        raise SchemaError(
            f"{shown(schedule)} is ambiguous: some read day of month and day of week as 'either', "
            "some as 'both'; leave one at * and write two schedules"
        )
    for low, high in _RANGE.findall(schedule.lower()):
        if _number(low) >= _number(high):
            raise SchemaError(
                f"{shown(schedule)} is not a schedule: the range {low}-{high} does not rise"
            )
    return " ".join(fields)


def _number(text: str) -> int:
    return _NUMBERS[text] if text in _NUMBERS else int(text)


def check_timezone(name: str) -> str:
    """Return ``name`` if it is in the IANA time zone database.

    Raises:
        SchemaError: it is not.

    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SchemaError(
            f"{shown(name)} is not a time zone: expected a name such as Europe/Berlin or UTC"
        ) from None
    return name
