"""`hatchet worker`: the process that runs steps."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["worker"]


def worker(
    app: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:ATTR",
            help="A Worker, or a list of integrations, in a module that can be imported from here.",
        ),
    ],
) -> None:
    """Run the steps of jobs, until SIGTERM. Any number of workers may run at once."""
    import asyncio

    from hatchet_cli.apps import load_worker
    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import temporal_failures
    from hatchet_cli.settings.environment import tell_unknown_variables

    configure_logs()
    loaded = load_worker(app)
    tell_unknown_variables(each.id for each in loaded.registry.integrations)

    async def run(stop: asyncio.Event) -> int:
        await loaded.serve(stop)
        return ExitCode.SUCCESS

    with temporal_failures():
        raise typer.Exit(run_until_signalled(run))
