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
    from hatchet_cli.ops.address import read_ops_address
    from hatchet_cli.ops.workers import worker_ops
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import temporal_failures
    from hatchet_cli.tracing import tracing

    configure_logs()
    ops_address = read_ops_address()
    loaded = load_worker(app)

    async def run(stop: asyncio.Event) -> int:
        async with worker_ops(ops_address, loaded, stop) as on_ready:
            await loaded.serve(stop, on_ready)
        return ExitCode.SUCCESS

    with temporal_failures(), tracing("hatchet-worker"):
        raise typer.Exit(run_until_signalled(run))
