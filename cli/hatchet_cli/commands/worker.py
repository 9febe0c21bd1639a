"""`hatchet worker`: the process that runs steps."""

from __future__ import annotations

import typer

from hatchet_cli.worker_options import OptionalApp, Queues, Use, queues_wanted, use_wanted

__all__ = ["worker"]


def worker(app: OptionalApp = None, use: Use = None, queues: Queues = None) -> None:
    """Run the steps of jobs, until SIGTERM. Any number of workers may run at once.

    With neither MODULE:ATTR nor --use, it has the integrations of all installed packages but those
    that come with Hatchet.
    """
    import asyncio

    from hatchet_cli.apps import worker_wanted
    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.key_files import warn_about_exposed_keys
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.ops.address import read_ops_address
    from hatchet_cli.ops.workers import worker_ops
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import temporal_failures
    from hatchet_cli.settings.environment import tell_unknown_variables
    from hatchet_cli.tracing import tracing

    configure_logs()
    warn_about_exposed_keys()
    ops_address = read_ops_address()
    loaded = worker_wanted(app, use_wanted(use), queues_wanted(queues))
    tell_unknown_variables(each.id for each in loaded.registry.integrations)

    async def run(stop: asyncio.Event) -> int:
        async with worker_ops(ops_address, loaded, stop) as on_ready:
            await loaded.serve(stop, on_ready)
        return ExitCode.SUCCESS

    with temporal_failures(), tracing("hatchet-worker"):
        raise typer.Exit(run_until_signalled(run))
