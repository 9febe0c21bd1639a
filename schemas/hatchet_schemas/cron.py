"""Cron schedules: the part of cron on which croniter and Temporal agree.

``tests/integration/router/test_cron_agreement.py`` holds both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from hatchet_schemas.errors import SchemaError, shown

__all__ = ["RANDOM_SCHEDULES", "ScheduleError", "check_schedule", "check_timezone"]

RANDOM_SCHEDULES: Final = frozenset({"random_15_min", "random_hourly", "random_daily"})
"""Schedules whose minute (and hour) is drawn once, so that not all jobs start at minute 0."""

_NICKNAMES: Final = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_WORD: Final = re.compile(r"\S+", re.ASCII)
_ITEM: Final = re.compile(
    r"(?:\*|(?P<first>[0-9A-Za-z]+)(?:-(?P<last>[0-9A-Za-z]+))?)(?:/(?P<step>[0-9]+))?"
)
_MAX_DIGITS: Final = 10
_MAX_STEP: Final = 2**31 - 1
"""Temporal keeps steps in 32 bits: it takes ``*/4294967297`` for ``*/1``."""


class ScheduleError(SchemaError):
    """A text is not a schedule.

    ``offset`` is the character of it at which the fault begins, None if all of it is at fault.
    """

    def __init__(self, schedule: str, reason: str, offset: int | None = None) -> None:
        self.offset = offset
        super().__init__(f"{shown(schedule)} {reason}")


class _ItemError(Exception):
    """What is wrong with one item of a field's list."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: its name, the numbers that it takes, and names for them."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict[str, int])

    def number(self, text: str) -> int:
        """Return what a number or a name stands for."""
        number = self.names.get(text.lower(), -1)
        if text.isdigit() and len(text) <= _MAX_DIGITS:
            number = int(text)
        if self.low <= number <= self.high:
            return number
        names = f", nor one of {', '.join(self.names)}" if self.names else ""
        raise _ItemError(f"{self.name} {shown(text)} is not from {self.low} to {self.high}{names}")

    def check(self, item: str) -> None:
        """Refuse an item of the field's list that is none, or that not all read alike."""
        found = _ITEM.fullmatch(item)
        if found is None:
            raise _ItemError(
                f"{shown(item)} is no {self.name}: expected *, a number, a range such as 1-5 or "
                "a step such as */2"
            )
        first, last = found["first"], found["last"]
        step = _step(found["step"])
        if first is None:
            return
        low = self.number(first)
        if last is not None:
            self._check_range(item, low, self.number(last), step)
        elif found["step"] is not None:
            self._check_open_range(item, low, step)

    def _check_range(self, item: str, low: int, high: int, step: int) -> None:
        if low == high:
            raise _ItemError(f"some read {item} as {low} alone, some as all there is; write {low}")
        if low > high:
            instead = f"; write {self._two_ranges(low, high)}" if step == 1 else ""
            raise _ItemError(f"the range {item} does not rise{instead}")
        if self is _DAY_OF_WEEK and (low, high, step) == (1, 7, 1):
            raise _ItemError(f"Temporal leaves Sunday out of {item}; write 0-6")

    def _check_open_range(self, item: str, low: int, step: int) -> None:
        """Refuse what has Sunday in it only where the week ends with 7, as it does for Temporal."""
        if self is not _DAY_OF_WEEK or low == 0 or (self.high - low) % step:
            return
        if low == self.high:
            raise _ItemError(f"some read {item} as 7 alone, some as 0/{step}; write 7 or 0/{step}")
        tail = f"/{step}" if step > 1 else ""
        to_saturday = f"{_span(low, 6)}{tail}"
        to_sunday = f"{_span(low, 7)}{tail}" if (low, step) != (1, 1) else "0-6"
        raise _ItemError(
            f"some end {item} on Saturday, some on Sunday; write {to_saturday} or {to_sunday}"
        )

    def _two_ranges(self, low: int, high: int) -> str:
        """Return how to write a range that goes on from the start behind the end."""
        if self is not _DAY_OF_WEEK:
            return f"{_span(low, self.high)},{_span(self.low, high)}"
        if high == 0:
            return _span(low, 7) if low > 1 else "0-6"
        return f"{_span(low, 7)},{_span(1, high)}"


_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()

_DAY_OF_WEEK: Final = _Field("day of week", 0, 7, {name: at for at, name in enumerate(_DAYS)})
_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, {name: at for at, name in enumerate(_MONTHS, start=1)}),
    _DAY_OF_WEEK,
)


def check_schedule(schedule: str) -> str:
    """Return ``schedule`` if it is one we accept, its fields set apart by one space.

    Raises:
        ScheduleError: it is neither five plain cron fields, nor ``@hourly`` and the like, nor one
            of `RANDOM_SCHEDULES`; or not all read it alike; or it never comes due.

    """
    if schedule in RANDOM_SCHEDULES or schedule in _NICKNAMES:
        return schedule
    words = list(_WORD.finditer(schedule))
    if len(words) != len(_FIELDS):
        raise ScheduleError(
            schedule,
            "is not a schedule: expected five cron fields, such as "
            f"'*/15 * * * *' (minute, hour, day of month, month, day of week), one of "
            f"{', '.join(sorted(_NICKNAMES))}, or one of {', '.join(sorted(RANDOM_SCHEDULES))}",
        )
    for kind, word in zip(_FIELDS, words, strict=True):
        _check_field(schedule, kind, word)
    days, weekdays = words[2], words[4]
    if days[0] != "*" and weekdays[0] != "*":
        raise ScheduleError(
            schedule,
            "is ambiguous: some read day of month and day of week as 'either', "
            "some as 'both'; leave one at * and write two schedules",
            weekdays.start(),
        )
    if not _is_ever_due(schedule):
        raise ScheduleError(
            schedule,
            f"is never due: the month {shown(words[3][0])} has no day {shown(days[0])}",
            days.start(),
        )
    return " ".join(word[0] for word in words)


def _check_field(schedule: str, kind: _Field, word: re.Match[str]) -> None:
    for offset, item in _items(word[0]):
        try:
            kind.check(item)
        except _ItemError as error:
            at = word.start() + offset
            raise ScheduleError(schedule, f"is not a schedule: {error}", at) from None


def _is_ever_due(schedule: str) -> bool:
    """Return whether there are such dates; 30 February is none, 29 February is one."""
    # It takes a while to load, and few files have cron triggers.
    from croniter import (  # type: ignore[import-untyped,unused-ignore] # noqa: PLC0415
        croniter,
    )

    return bool(croniter.is_valid(schedule, strict=True))


def _items(text: str) -> Iterator[tuple[int, str]]:
    """Return what stands between the commas of ``text``, each with its offset."""
    offset = 0
    for item in text.split(","):
        yield offset, item
        offset += len(item) + 1


def _step(text: str | None) -> int:
    if text is None:
        return 1
    if len(text) > _MAX_DIGITS or not 0 < int(text) <= _MAX_STEP:
        raise _ItemError(f"a step is a number from 1 to {_MAX_STEP}, not {shown(text)}")
    return int(text)


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def check_timezone(name: str) -> str:
    """Return ``name`` if it is in the IANA time zone database.

    What else a machine may call a time zone is not the same everywhere: ``localtime`` is its
    own, and ``right/UTC`` counts leap seconds.

    Raises:
        SchemaError: it is not.

    """
    if name not in _zones():
        raise SchemaError(
            f"{shown(name)} is not a time zone: expected a name such as Europe/Berlin or UTC"
        )
    return name


@cache
def _zones() -> frozenset[str]:
    """Return the names that tzdata has, without that of the zone which is none."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - {"Factory"}
