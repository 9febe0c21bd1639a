"""`hatchet router`: the routing process."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio

__all__ = ["router"]


def router(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
    reload: Annotated[
        bool | None,
        typer.Option(
            "--reload/--no-reload",
            help="Go by the workflow files as they change.",
            show_default="no-reload",
        ),
    ] = None,
) -> None:
    """Consume events from RabbitMQ and start their jobs in Temporal, until SIGTERM.

    Any number of routers may run at once. SIGHUP loads the workflow files anew.
    """
    from hatchet_cli.hangups import Hangups

    hangups = Hangups()  # before all that takes time, as a SIGHUP would end us until then

    from hatchet_cli.starting import load_structlog_alone, nothing_collected

    with nothing_collected():
        load_structlog_alone()

        from hatchet_cli.definitions import without_errors
        from hatchet_cli.exiting import ExitCode
        from hatchet_cli.key_files import warn_about_exposed_keys
        from hatchet_cli.logs import configure_logs
        from hatchet_cli.ops.address import read_ops_address
        from hatchet_cli.ops.routers import router_ops
        from hatchet_cli.running import run_until_signalled
        from hatchet_cli.servers import broker_failures, connect_to_temporal, read_settings
        from hatchet_cli.settings.environment import tell_unknown_variables
        from hatchet_cli.tracing import tracing
        from hatchet_router.folder import WorkflowFolder
        from hatchet_router.reloading import Reloads
        from hatchet_router.service import serve
        from hatchet_router.status import RouterStatus

        configure_logs()
        warn_about_exposed_keys()
        ops_address = read_ops_address()
        settings = read_settings(workflows=folder, reload=reload)
        tell_unknown_variables()
        files = WorkflowFolder(settings.workflows, known_vars=frozenset(settings.vars))
        definitions = without_errors(files.load())

    async def run(stop: asyncio.Event) -> int:
        reloads = Reloads(files)
        hangups.listen(partial(reloads.request, always=True))
        status = RouterStatus()
        async with router_ops(ops_address, status):
            client = await connect_to_temporal()
            with broker_failures(refused=ExitCode.USAGE):
                await serve(settings, definitions, client, stop, reloads, status)
        return ExitCode.SUCCESS

    try:
        with tracing("hatchet-router"):
            raise typer.Exit(run_until_signalled(run))
    finally:
        hangups.ignore()
