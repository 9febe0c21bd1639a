"""What the commands of `hatchet schedules` share: which are meant, and how to print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import typer
from temporalio.client import Client

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.reports.printable import printable
from hatchet_router.schedule_list import ListedSchedule, list_schedules, named
from hatchet_schemas.checks.suggestions import Suggestions

__all__ = ["chosen", "chosen_of", "none_there", "print_json", "print_lines", "read_span", "tell"]

_TIME: Final = re.compile(
    r"(?:19[7-9]|2\d\d)\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII | re.IGNORECASE,
)


async def chosen(client: Client, deployment: str, name: str) -> tuple[ListedSchedule, ...]:
    """Return the schedules of ``deployment`` that ``name`` means: one, or all of a workflow.

    Raises:
        CommandError: there are none.
        RPCError: Temporal does not answer.

    """
    return chosen_of(await list_schedules(client, deployment), name, deployment)


def chosen_of(
    schedules: Sequence[ListedSchedule], name: str, deployment: str
) -> tuple[ListedSchedule, ...]:
    """Return those of ``schedules`` that ``name`` means.

    Raises:
        CommandError: there are none; the message has near names.

    """
    found = named(schedules, name)
    if found:
        return found
    if not schedules:
        raise CommandError(none_there(deployment), ExitCode.USAGE)
    names = list(dict.fromkeys(n for each in schedules for n in (each.workflow, each.name)))
    raise CommandError(
        f"deployment {deployment!r} has no schedule {name!r}: {Suggestions().said(name, names)}",
        ExitCode.USAGE,
    )


def none_there(deployment: str) -> str:
    """Return what to say and to do about a deployment without schedules."""
    return (
        f"deployment {deployment!r} has no schedules; a router makes them when it starts, of the "
        "cron triggers in its files, and HATCHET_DEPLOYMENT names another deployment"
    )


def print_json(value: Any) -> None:
    """Print ``value`` to stdout."""
    typer.echo(json.dumps(value, indent=2))


def print_lines(lines: Iterable[str]) -> None:
    """Print ``lines`` to stdout, none of which steers the terminal."""
    for line in lines:
        typer.echo(printable(line))


def tell(message: str) -> None:
    """Tell a person about what is printed."""
    typer.echo(f"hatchet: {printable(message)}", err=True)


def read_span(first: str, last: str, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the times in UTC from which and to which a backfill goes.

    A text without an offset is a time of the clocks in ``zone``.

    Raises:
        CommandError: one is no such time, or they are not in this order, or not yet over.

    """
    start, end = _time(first, zone, "--from"), _time(last, zone, "--to")
    if start > end:
        raise CommandError(f"--from {first!r} is later than --to {last!r}", ExitCode.USAGE)
    if end > now:
        raise CommandError(
            f"--to {last!r} is not over yet; a backfill makes up for times that are", ExitCode.USAGE
        )
    return start, end


def _time(text: str, zone: str, option: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
    except ValueError:
        time = None
    if time is None:
        raise CommandError(
            f"{option} {text!r} is no time; write one as 2026-03-29T06:30, which is in the "
            "schedule's time zone, or with an offset: 2026-03-29T06:30+02:00, 2026-03-29T04:30Z",
            ExitCode.USAGE,
        )
    if time.tzinfo is None:
        return _of_clocks(time, text, zone, option)
    return time.astimezone(UTC)


def _of_clocks(time: datetime, text: str, zone: str, option: str) -> datetime:
    first, second = (
        time.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first != second:
        raise CommandError(
            f"the clocks are changed at {text!r} in {zone}; write {option} with its offset to UTC",
            ExitCode.USAGE,
        )
    return first
