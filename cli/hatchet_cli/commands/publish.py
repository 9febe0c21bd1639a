"""`hatchet publish`: an event by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hatchet_cli.commands.check import Output
from hatchet_cli.reports.printable import printable

if TYPE_CHECKING:
    from hatchet_cli.runs import JobRun

__all__ = ["parse_data", "publish"]

# A person is waiting: long enough for a hiccup, short enough to be told.
_PUBLISH_SECONDS = 3.0


def publish(
    key: Annotated[str, typer.Argument(help="The event key, such as user:create.")],
    data: Annotated[
        str,
        typer.Option(
            "--data", "-d", help="The event's JSON object; @FILE or - (stdin) to read it."
        ),
    ] = "{}",
    event_id: Annotated[
        str | None,
        typer.Option("--id", help="The event's id; an event seen before starts nothing again."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the jobs; exit 1 if one does not complete.")
    ] = False,
    start_timeout: Annotated[
        float, typer.Option(help="With --wait: seconds until the first job must have started.")
    ] = 30.0,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TEXT,
) -> None:
    """Publish an event; exit 4 if no workflow has a trigger for it."""
    import asyncio

    from hatchet_cli.logs import configure_logs
    from hatchet_cli.servers import publishing_failures
    from hatchet_cli.tracing import tracing

    configure_logs()
    with publishing_failures(), tracing("hatchet-publish"):
        code = asyncio.run(
            _publish(key, parse_data(data), event_id, start_timeout if wait else None, output)
        )
    raise typer.Exit(code)


def parse_data(text: str) -> dict[str, Any]:
    """Return the JSON object in ``text``, in the file ``@name``, or on stdin where it is ``-``.

    Raises:
        CommandError: it cannot be read, or is no JSON object.

    """
    from hatchet_cli.exiting import CommandError, ExitCode
    from hatchet_router.json_bodies import strict_json
    from hatchet_router.refusals import Refusal

    source, content = _content(text)
    try:
        data = strict_json(content.decode("utf-8-sig"), source)
    except UnicodeDecodeError:
        raise CommandError(f"{source} is not UTF-8", ExitCode.USAGE) from None
    except Refusal as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    if not isinstance(data, dict):
        raise CommandError(f"{source} is JSON, but not an object: {{…}}", ExitCode.USAGE)
    return data


def _content(text: str) -> tuple[str, bytes]:
    """Return what to call the place of the data, and what stands there."""
    import os
    from pathlib import Path

    from hatchet_cli.exiting import CommandError, ExitCode

    if text == "-":
        if sys.stdin is None:
            raise CommandError("standard input is closed", ExitCode.USAGE)
        return "standard input", sys.stdin.buffer.read()
    if not text.startswith("@"):
        return "--data", os.fsencode(text)
    try:
        return text[1:], Path(text[1:]).read_bytes()
    except (OSError, ValueError) as error:  # a name that holds NUL
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{text[1:]}: {reason}", ExitCode.USAGE) from error


async def _publish(
    key: str,
    data: dict[str, Any],
    event_id: str | None,
    start_seconds: float | None,
    output: Output,
) -> int:
    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.servers import connect_to_temporal, read_settings, request_failures
    from hatchet_router.dispatcher import Dispatcher

    settings = read_settings()
    # Asked first, so that nothing is published that could then not be waited for.
    client = await connect_to_temporal() if start_seconds is not None else None
    async with Dispatcher.of(settings, timeout=_PUBLISH_SECONDS) as dispatcher:
        published = await dispatcher.trigger(key, data, id=event_id)
    runs: list[JobRun] = []
    if client is not None and start_seconds is not None:
        from hatchet_cli.runs import jobs_of_event

        with request_failures():
            async for run in jobs_of_event(client, published, start_seconds=start_seconds):
                runs.append(run)
                typer.echo(_line(run), err=True)
        if not runs:
            typer.echo(
                f"hatchet: no job started within {start_seconds:g} s: no workflow matches, "
                "or no router is running",
                err=True,
            )
    _print(published, runs, output)
    if client is not None and not runs:
        return ExitCode.NOTHING_MATCHED
    return ExitCode.SUCCESS if all(run.completed for run in runs) else ExitCode.FINDINGS


def _line(run: JobRun) -> str:
    tail = f": {run.message}" if run.message else ""
    return printable(f"{run.workflow}/{run.job} {run.status.lower()} in {run.seconds:g} s{tail}")


def _print(event_id: str, runs: list[JobRun], output: Output) -> None:
    if output is Output.TEXT:
        typer.echo(event_id)
        return
    import json
    from dataclasses import asdict

    typer.echo(json.dumps({"event_id": event_id, "jobs": [asdict(run) for run in runs]}, indent=2))
