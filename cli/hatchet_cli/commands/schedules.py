"""`hatchet schedules`: what the clock starts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hatchet_cli.commands.check import Output
from hatchet_cli.exiting import ExitCode

if TYPE_CHECKING:
    from temporalio.client import Client

__all__ = ["schedules"]

schedules = typer.Typer(
    help="List, show, trigger, pause, resume and backfill what the clock starts.",
    no_args_is_help=True,
)


class BackfillOverlap(StrEnum):
    """How the runs of a backfill may overlap: one after the other, or all at once."""

    BUFFER = "buffer"
    ALLOW = "allow"


Named = Annotated[
    str,
    typer.Argument(metavar="NAME", help="WORKFLOW/JOB, or WORKFLOW for all of the workflow's."),
]
Printed = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Note = Annotated[
    str | None, typer.Option("--note", help="Why, for others to see; without, who did it.")
]


@schedules.command("list")
def list_all(*, output: Printed = Output.TEXT) -> None:
    """List the schedules of the deployment."""
    _run(lambda client, deployment: _list(client, deployment, output))


@schedules.command("show")
def show(name: Named, *, output: Printed = Output.TEXT) -> None:
    """Show all of a schedule: its settings, next times and latest runs."""
    _run(lambda client, deployment: _show(client, deployment, name, output))


@schedules.command("next")
def next_times(
    name: Named,
    *,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=1000, help="How many times.")
    ] = 5,
    output: Printed = Output.TEXT,
) -> None:
    """Tell the next times, in the schedule's time zone and in UTC, as Temporal has them."""
    _run(lambda client, deployment: _next(client, deployment, name, count, output))


@schedules.command("trigger")
def trigger(name: Named, *, output: Printed = Output.TEXT) -> None:
    """Start a run now, also while another goes on, and also if the schedule is paused."""

    async def command(client: Client, deployment: str) -> int:
        from hatchet_cli.schedule_runs import trigger_runs

        return await trigger_runs(client, deployment, name, as_json=output is Output.JSON)

    _run(command)


@schedules.command("pause")
def pause(name: Named, *, note: Note = None) -> None:
    """Start nothing more at the schedule's times until it is resumed; runs go on."""
    _run(lambda client, deployment: _pause(client, deployment, name, note))


@schedules.command("resume")
def resume(name: Named, *, note: Note = None) -> None:
    """Start runs at the schedule's times again; those that went by are left out."""
    _run(lambda client, deployment: _resume(client, deployment, name, note))


@schedules.command("backfill")
def backfill(
    name: Named,
    *,
    first: Annotated[
        str, typer.Option("--from", metavar="TIME", help="The first time: 2026-03-29T06:30.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="The last time, included.")],
    overlap: Annotated[
        BackfillOverlap, typer.Option("--overlap", help="One after the other, or all at once.")
    ] = BackfillOverlap.BUFFER,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it; without, more than one is only listed.")
    ] = False,
    output: Printed = Output.TEXT,
) -> None:
    """Start a run for each time that went by between two.

    Without --yes, more than one is only listed. A time is in the schedule's time zone, unless it
    ends in an offset, such as +02:00 or Z.
    """

    async def command(client: Client, deployment: str) -> int:
        from hatchet_cli.schedule_runs import Backfill, backfill_runs

        asked = Backfill(first, last, overlap.value)
        return await backfill_runs(
            client, deployment, name, asked, confirmed=yes, as_json=output is Output.JSON
        )

    _run(command)


async def _list(client: Client, deployment: str, output: Output) -> int:
    from hatchet_cli.reports.schedules import as_record, as_table
    from hatchet_cli.schedules import none_there, print_json, print_lines, tell
    from hatchet_router.schedule_actions import ScheduleActions
    from hatchet_router.schedule_list import list_schedules

    found = await list_schedules(client, deployment)
    actions = ScheduleActions(client)
    if output is Output.JSON:
        states = await actions.states([run for each in found for run in each.recent])
        print_json([as_record(each, states) for each in found])
    elif found:
        states = await actions.states([run for each in found for run in each.recent[-1:]])
        print_lines(as_table(found, states))
    if not found:
        tell(none_there(deployment))
    return ExitCode.SUCCESS


async def _show(client: Client, deployment: str, name: str, output: Output) -> int:
    from hatchet_cli.reports.schedules import as_lines, as_record
    from hatchet_cli.schedules import chosen, print_json, print_lines
    from hatchet_router.schedule_actions import ScheduleActions

    found = await chosen(client, deployment, name)
    states = await ScheduleActions(client).states([run for each in found for run in each.recent])
    if output is Output.JSON:
        print_json([as_record(each, states) for each in found])
    else:
        print_lines(line for each in found for line in (*as_lines(each, states), ""))
    return ExitCode.SUCCESS


async def _next(client: Client, deployment: str, name: str, count: int, output: Output) -> int:
    from datetime import UTC, datetime

    from hatchet_cli.reports.schedules import Times
    from hatchet_cli.schedules import chosen, print_json, print_lines
    from hatchet_router.schedule_actions import ScheduleActions

    actions, now = ScheduleActions(client), datetime.now(UTC)
    found = [
        Times(each, await actions.next_times(each, count, now))
        for each in await chosen(client, deployment, name)
    ]
    if output is Output.JSON:
        print_json([each.record() for each in found])
    else:
        print_lines(line for each in found for line in each.lines())
    return ExitCode.SUCCESS


async def _pause(client: Client, deployment: str, name: str, note: str | None) -> int:
    from hatchet_cli.operators import operator_name
    from hatchet_cli.schedules import chosen, print_lines
    from hatchet_router.schedule_actions import ScheduleActions

    actions = ScheduleActions(client)
    said = note or f"paused by {operator_name()}, with hatchet"
    for each in await chosen(client, deployment, name):
        # Who paused it first, and why, is not to be forgotten.
        if each.paused and not note:
            print_lines([f"{each.name} is paused already: {each.note}"])
        else:
            await actions.pause(each.id, said)
            print_lines([f"{each.name} paused: {said}"])
    return ExitCode.SUCCESS


async def _resume(client: Client, deployment: str, name: str, note: str | None) -> int:
    from hatchet_cli.operators import operator_name
    from hatchet_cli.schedules import chosen, print_lines
    from hatchet_router.schedule_actions import ScheduleActions

    actions = ScheduleActions(client)
    said = note or f"resumed by {operator_name()}, with hatchet"
    for each in await chosen(client, deployment, name):
        if each.paused:
            await actions.resume(each.id, said)
            print_lines([f"{each.name} resumed: {said}"])
        else:
            print_lines([f"{each.name} is not paused"])
    return ExitCode.SUCCESS


def _run(command: Callable[[Client, str], Coroutine[Any, Any, int]]) -> None:
    """Run ``command`` with Temporal and the deployment's name, and exit with its code."""
    import asyncio

    from hatchet_cli.logs import configure_logs
    from hatchet_cli.servers import connect_to_temporal, read_settings, request_failures

    async def connected() -> int:
        deployment = read_settings().deployment
        client = await connect_to_temporal()
        with request_failures():
            return await command(client, deployment)

    configure_logs()
    raise typer.Exit(asyncio.run(connected()))
