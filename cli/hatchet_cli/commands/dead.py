"""`hatchet dead`: events that could not be handled."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.letter_formats import LetterOutput

if TYPE_CHECKING:
    from datetime import timedelta

    from hatchet_cli.letters import Act, Audit, Choice
    from hatchet_router.dead_letter_queue import DeadLetterQueue
    from hatchet_router.settings import RouterSettings

__all__ = ["dead"]

dead = typer.Typer(
    help="List, show, replay and purge events that could not be handled.", no_args_is_help=True
)


EventId = Annotated[str | None, typer.Option("--id", help="The event's id.")]
Key = Annotated[
    str | None, typer.Option("--key", help="The event's key, or a pattern with * and #.")
]
Kind = Annotated[str | None, typer.Option("--kind", help="The kind, such as undecodable.")]
Workflow = Annotated[
    str | None, typer.Option("--workflow", help="A workflow that did not get the event.")
]
Queue = Annotated[str | None, typer.Option("--queue", help="The router's queue it came from.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", help="Dead for longer than that: 1h30m, 2d.")
]
NewerThan = Annotated[str | None, typer.Option("--newer-than", help="Dead for less than that.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many, oldest first.")]
Printed = Annotated[LetterOutput, typer.Option("--output", "-o", help="How to print.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do it; without, more than one is only listed.")
]


@dead.command("list")
def list_letters(  # noqa: PLR0913 - each option has a name
    *,
    event_id: EventId = None,
    key: Key = None,
    kind: Kind = None,
    workflow: Workflow = None,
    queue: Queue = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    output: Printed = LetterOutput.TEXT,
) -> None:
    """List dead letters, the oldest first; exit 4 if there are none."""
    choice = _choice(event_id, key, kind, workflow, queue, older_than, newer_than, limit)

    _run(lambda settings: _list(settings, choice, output))


@dead.command("show")
def show(  # noqa: PLR0913 - each option has a name
    event: Annotated[str | None, typer.Argument(metavar="[ID]", help="The event's id.")] = None,
    *,
    key: Key = None,
    kind: Kind = None,
    workflow: Workflow = None,
    queue: Queue = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    body: Annotated[
        bool, typer.Option("--body", help="Write the body of the first alone, as it is.")
    ] = False,
    output: Printed = LetterOutput.TEXT,
) -> None:
    """Show all of a dead letter: the reason, properties, headers and body."""
    choice = _choice(
        event, key, kind, workflow, queue, older_than, newer_than, 1 if body else limit
    )

    if body:
        _run(lambda settings: _write_body(settings, choice))
    _run(lambda settings: _list(settings, choice, output, content=True))


@dead.command("replay")
def replay(  # noqa: PLR0913 - each option has a name
    *,
    event_id: EventId = None,
    key: Key = None,
    kind: Kind = None,
    workflow: Workflow = None,
    queue: Queue = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    yes: Yes = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replay what is so old that jobs could start again.")
    ] = False,
    output: Printed = LetterOutput.TEXT,
) -> None:
    """Give events back to the router, which starts what is missing.

    Without --yes, more than one is only listed.
    """
    choice = _choice(event_id, key, kind, workflow, queue, older_than, newer_than, limit)

    _run(lambda settings: _replay(settings, choice, output, confirmed=yes, force=force))


@dead.command("purge")
def purge(  # noqa: PLR0913 - each option has a name
    *,
    event_id: EventId = None,
    key: Key = None,
    kind: Kind = None,
    workflow: Workflow = None,
    queue: Queue = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    yes: Yes = False,
    output: Printed = LetterOutput.TEXT,
) -> None:
    """Remove dead letters for good.

    Without --yes, more than one is only listed.
    """
    choice = _choice(event_id, key, kind, workflow, queue, older_than, newer_than, limit)

    _run(lambda settings: _purge(settings, choice, output, confirmed=yes))


async def _list(
    settings: RouterSettings, choice: Choice, output: LetterOutput, *, content: bool = False
) -> int:
    from hatchet_cli.letter_output import Printer
    from hatchet_cli.letters import chosen
    from hatchet_cli.reports.letters import Row
    from hatchet_router.dead_letter_queue import DeadLetterQueue

    printer = Printer(output, choice.now, content=content)
    async with DeadLetterQueue(settings.broker_url, settings.topology) as queue:
        async for letters in chosen(queue, choice):
            await printer.rows([Row(held.letter) for held in letters])
    await printer.end()
    return ExitCode.SUCCESS if printer.counts else _nothing()


async def _write_body(settings: RouterSettings, choice: Choice) -> int:
    from hatchet_cli.letter_output import write_bytes
    from hatchet_cli.letters import chosen
    from hatchet_router.dead_letter_queue import DeadLetterQueue

    async with DeadLetterQueue(settings.broker_url, settings.topology) as queue:
        bodies = [held.letter.body async for letters in chosen(queue, choice) for held in letters]
    for body in bodies:
        await write_bytes(body)
    return ExitCode.SUCCESS if bodies else _nothing()


async def _replay(
    settings: RouterSettings,
    choice: Choice,
    output: LetterOutput,
    *,
    confirmed: bool,
    force: bool,
) -> int:
    from hatchet_cli.letters import ReplayAll
    from hatchet_cli.retention import read_retention
    from hatchet_router.dead_letter_queue import DeadLetterQueue
    from hatchet_router.replays import Replayer

    # Asked first, so that nobody waits for Temporal with letters in hand.
    retention = None if force else await read_retention()
    audit = _audit(choice)
    topology = settings.topology
    async with (
        DeadLetterQueue(settings.broker_url, topology) as queue,
        Replayer(settings.broker_url, topology, audit.operator) as replayer,
    ):
        act = ReplayAll(
            queue,
            replayer,
            audit,
            router_queue=settings.queue,
            retention=retention,
            now=choice.now,
        )
        return await _carry_out(queue, choice, act, output, confirmed=confirmed)


async def _purge(
    settings: RouterSettings, choice: Choice, output: LetterOutput, *, confirmed: bool
) -> int:
    from hatchet_cli.letters import Purge
    from hatchet_router.dead_letter_queue import DeadLetterQueue

    async with DeadLetterQueue(settings.broker_url, settings.topology) as queue:
        act = Purge(queue, _audit(choice))
        return await _carry_out(queue, choice, act, output, confirmed=confirmed)


async def _carry_out(
    queue: DeadLetterQueue, choice: Choice, act: Act, output: LetterOutput, *, confirmed: bool
) -> int:
    from hatchet_cli.letter_output import Printer
    from hatchet_cli.letters import carried_out

    printer = Printer(output, choice.now, results=True)
    done = await carried_out(queue, choice, act, confirmed=confirmed, on_rows=printer.rows)
    await printer.end()
    if not printer.counts:
        return _nothing()
    counted = ", ".join(f"{count} {result}" for result, count in printer.counts.items())
    hint = "" if done else "; --yes does it"
    typer.echo(f"hatchet: {counted}{hint}", err=True)
    if not done or set(printer.counts) == {act.did}:
        return ExitCode.SUCCESS
    return ExitCode.FINDINGS


def _nothing() -> int:
    typer.echo("hatchet: no dead letter matches", err=True)
    return ExitCode.NOTHING_MATCHED


def _choice(
    event_id: str | None,
    key: str | None,
    kind: str | None,
    workflow: str | None,
    queue: str | None,
    older_than: str | None,
    newer_than: str | None,
    limit: int | None,
) -> Choice:
    from datetime import UTC, datetime

    from hatchet_cli.letters import Choice
    from hatchet_router.selections import Selection
    from hatchet_schemas import SchemaError

    try:
        selection = Selection(
            event_id=event_id,
            key=key,
            kind=kind,
            workflow=workflow,
            queue=queue,
            older_than=_duration(older_than),
            newer_than=_duration(newer_than),
        )
    except SchemaError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return Choice(selection=selection, limit=limit, now=datetime.now(UTC))


def _duration(text: str | None) -> timedelta | None:
    from hatchet_schemas import parse_duration

    return None if text is None else parse_duration(text)


def _audit(choice: Choice) -> Audit:
    from hatchet_cli.letters import Audit
    from hatchet_cli.operators import operator_name

    return Audit(operator_name(), choice.described())


def _run(command: Callable[[RouterSettings], Coroutine[Any, Any, int]]) -> None:
    """Run ``command`` and exit with its code."""
    import asyncio

    from hatchet_cli.logs import configure_logs
    from hatchet_cli.servers import broker_failures, read_settings

    configure_logs()
    with broker_failures():
        code = asyncio.run(command(read_settings()))
    raise typer.Exit(code)
