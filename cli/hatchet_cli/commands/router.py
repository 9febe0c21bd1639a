"""`hatchet router`: the routing process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["router"]


def router(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
) -> None:
    """Consume events from RabbitMQ and start their jobs in Temporal, until SIGTERM.

    Any number of routers may run at once.
    """
    from hatchet_cli.definitions import load_or_fail
    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import broker_failures, connect_to_temporal, read_settings
    from hatchet_router.service import serve

    configure_logs()
    settings = read_settings(workflows=folder)
    definitions = load_or_fail(settings.workflows, known_vars=frozenset(settings.vars))

    async def run(stop: asyncio.Event) -> int:
        client = await connect_to_temporal()
        with broker_failures(refused=ExitCode.USAGE):
            await serve(settings, definitions, client, stop)
        return ExitCode.SUCCESS

    raise typer.Exit(run_until_signalled(run))
