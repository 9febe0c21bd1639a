"""`hatchet dev`: all of it on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["dev"]


def dev(
    apps: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODULE:ATTR]...", help="Your workers, as for `hatchet worker`."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Run no worker; start yours elsewhere.")
    ] = False,
    persist: Annotated[
        bool, typer.Option("--persist", help="Keep the servers' data in .hatchet-dev.")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--publish", metavar="KEY", help="Publish an event at the start.")
    ] = None,
    data: Annotated[
        str, typer.Option("--data", "-d", help="Its JSON object; @FILE or - to read it.")
    ] = "{}",
    once: Annotated[
        bool,
        typer.Option("--once", help="End when its jobs have; exit 1 if one did not complete."),
    ] = False,
    reload: Annotated[
        bool, typer.Option("--reload/--no-reload", help="Go by the workflow files as they change.")
    ] = True,
) -> None:
    """Run RabbitMQ, Temporal, a router and your workers, and show what happens.

    A RabbitMQ or a Temporal that answers at its configured address is used; others are started
    on free ports and leave nothing behind.
    """
    from hatchet_cli.commands.publish import parse_data
    from hatchet_cli.dev.session import DevOptions, run_dev
    from hatchet_cli.exiting import CommandError, ExitCode
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import read_settings

    configure_logs()
    if not apps and not no_worker:
        raise CommandError(
            "which worker? Name one, such as integrations:worker, or say --no-worker",
            ExitCode.USAGE,
        )
    if once and key is None:
        raise CommandError("--once needs an event: --publish KEY", ExitCode.USAGE)
    settings = read_settings(workflows=folder)
    event_data = parse_data(data)
    options = DevOptions(
        apps=() if no_worker else tuple(apps or ()),
        data_dir=Path(".hatchet-dev").resolve() if persist else None,
        publish=(key, event_data) if key is not None else None,
        data_text=data if not data.startswith(("@", "-")) else _compact(event_data),
        once=once,
        reload=reload,
    )

    async def run(stop: asyncio.Event) -> int:
        return await run_dev(settings, options, stop)

    raise typer.Exit(run_until_signalled(run))


def _compact(data: dict[str, object]) -> str:
    import json

    return json.dumps(data, separators=(",", ":"))
