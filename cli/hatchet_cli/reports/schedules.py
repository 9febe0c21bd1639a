"""Schedules as texts for a terminal and as JSON for tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from hatchet_cli.reports.printable import printable
from hatchet_router.schedule_list import ListedSchedule, ScheduledRun
from hatchet_schemas import format_duration

__all__ = ["States", "Times", "as_lines", "as_record", "as_table", "in_zone"]

States = Mapping[str, str | None]
"""The state of each run by its run id; None where Temporal has forgotten it."""

_HEADER: Final = ("NAME", "CRON", "TIME ZONE", "NEXT", "LAST", "STATE", "PAUSED")


@dataclass(frozen=True, slots=True)
class Times:
    """Times of a schedule, the earliest first."""

    schedule: ListedSchedule
    times: tuple[datetime, ...]

    def lines(self, shown: int | None = None) -> Iterator[str]:
        """Yield the times in the schedule's zone and in UTC; no more than ``shown``, if given."""
        schedule = self.schedule
        yield f"{printable(schedule.name)}  {_cron(schedule)}  {schedule.timezone}"
        if schedule.paused:
            yield f"  paused, so nothing starts at its times: {printable(schedule.note)}"
        for time in self.times[:shown]:
            yield f"  {in_zone(time, schedule.timezone)}  {_readable(time.astimezone(UTC))}"
        if shown is not None and len(self.times) > shown:
            yield f"  … and {len(self.times) - shown} more"

    def record(self) -> dict[str, Any]:
        """Return all the times in the schedule's zone and in UTC, for JSON."""
        schedule = self.schedule
        zone = ZoneInfo(schedule.timezone)
        return {
            "name": schedule.name,
            "timezone": schedule.timezone,
            "paused": schedule.paused,
            "note": schedule.note,
            "times": [
                {
                    "local": time.astimezone(zone).isoformat(),
                    "utc": time.astimezone(UTC).isoformat(),
                }
                for time in self.times
            ],
        }


def as_table(schedules: Sequence[ListedSchedule], states: States) -> list[str]:
    """Return a header and a line for each schedule."""
    cells = [_HEADER, *(_cells(each, states) for each in schedules)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def as_lines(schedule: ListedSchedule, states: States) -> Iterator[str]:
    """Yield the lines that tell all of a schedule to a person."""
    zone = schedule.timezone
    yield f"name: {printable(schedule.name)}"
    yield f"id: {printable(schedule.id)}"
    yield f"cron: {_cron(schedule)}"
    yield f"time zone: {zone}"
    yield f"overlap: {schedule.overlap}"
    yield f"catch-up: {format_duration(schedule.catch_up)}"
    jitter = schedule.jitter
    yield f"jitter: {'none' if jitter is None else format_duration(jitter)}"
    yield f"queue: {printable(schedule.queue)}"
    yield f"paused: {'yes' if schedule.paused else 'no'}"
    if schedule.note:
        yield f"note: {printable(schedule.note)}"
    counts = schedule.counts
    yield (
        f"runs: {counts.started} started, {counts.waiting} waiting; times left out: "
        f"{counts.missed} missed, {counts.skipped} skipped, {counts.dropped} dropped"
    )
    yield "next times, if it were not paused:" if schedule.paused else "next times:"
    yield from _indented(in_zone(time, zone) for time in schedule.next_times)
    yield "running:"
    yield from _indented(_running(schedule, states))
    yield "latest runs:"
    yield from _indented(
        f"{in_zone(run.due, zone)}  {_state(run, states)}  {printable(run.workflow_id)}"
        for run in reversed(schedule.recent)
    )


def as_record(schedule: ListedSchedule, states: States) -> dict[str, Any]:
    """Return all that there is, times in UTC."""
    return {
        "name": schedule.name,
        "id": schedule.id,
        "workflow": schedule.workflow,
        "job": schedule.job,
        "slot": schedule.slot,
        "cron": schedule.cron,
        "expression": schedule.expression,
        "timezone": schedule.timezone,
        "overlap": schedule.overlap,
        "catch_up": format_duration(schedule.catch_up),
        "jitter": None if schedule.jitter is None else format_duration(schedule.jitter),
        "queue": schedule.queue,
        "paused": schedule.paused,
        "note": schedule.note,
        "next_times": [time.isoformat() for time in schedule.next_times],
        "running": list(_running(schedule, states)),
        "recent": [
            {
                "workflow_id": run.workflow_id,
                "run_id": run.run_id,
                "due": run.due.isoformat(),
                "started": run.started.isoformat(),
                "state": states.get(run.run_id),
            }
            for run in schedule.recent
        ],
        "counts": asdict(schedule.counts),
    }


def in_zone(time: datetime, zone: str) -> str:
    """Return ``time`` as the clocks show it in ``zone``, with the offset to UTC."""
    return _readable(time.astimezone(ZoneInfo(zone)))


def _readable(time: datetime) -> str:
    text = time.isoformat(sep=" ", timespec="seconds")
    return f"{text[:-6]} {'UTC' if time.tzinfo is UTC else text[-6:]}"


def _cells(schedule: ListedSchedule, states: States) -> tuple[str, ...]:
    zone = schedule.timezone
    last = schedule.recent[-1] if schedule.recent else None
    starts = schedule.next_times and not schedule.paused
    return (
        printable(schedule.name),
        _cron(schedule),
        zone,
        in_zone(schedule.next_times[0], zone) if starts else "-",
        in_zone(last.due, zone) if last else "-",
        _state(last, states) if last else "-",
        (printable(schedule.note) or "yes") if schedule.paused else "no",
    )


def _cron(schedule: ListedSchedule) -> str:
    """Return the schedule as written, and what was drawn for a random one."""
    written, drawn = schedule.cron, schedule.expression
    return printable(f"{written} ({drawn})" if written.startswith("random_") else written)


def _state(run: ScheduledRun, states: States) -> str:
    state = states.get(run.run_id)
    return "forgotten" if state is None else state.lower().replace("_", " ")


def _running(schedule: ListedSchedule, states: States) -> tuple[str, ...]:
    """Return the workflows that go on; Temporal does not count those that may overlap."""
    overlapping = [
        run.workflow_id for run in schedule.recent if states.get(run.run_id) == "RUNNING"
    ]
    return tuple(dict.fromkeys((*schedule.running, *overlapping)))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    empty = True
    for line in lines:
        empty = False
        yield f"  {line}"
    if empty:
        yield "  none"
