"""`hatchet dev`: all of it on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hatchet_cli.worker_options import Queues, Use, queues_wanted, use_wanted

if TYPE_CHECKING:
    import asyncio

__all__ = ["dev", "worker_arguments"]


def dev(  # noqa: PLR0913, PLR0917 - each option has a name
    apps: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODULE:ATTR]...", help="Your workers, as for `hatchet worker`."),
    ] = None,
    use: Use = None,
    queues: Queues = None,
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
    workers = (
        {} if no_worker else worker_arguments(apps or (), use_wanted(use), queues_wanted(queues))
    )
    if once and key is None:
        raise CommandError("--once needs an event: --publish KEY", ExitCode.USAGE)
    settings = read_settings(workflows=folder)
    event_data = parse_data(data)
    options = DevOptions(
        workers=workers,
        data_dir=Path(".hatchet-dev").resolve() if persist else None,
        publish=(key, event_data) if key is not None else None,
        data_text=data if not data.startswith(("@", "-")) else _compact(event_data),
        once=once,
        reload=reload,
    )

    async def run(stop: asyncio.Event) -> int:
        return await run_dev(settings, options, stop)

    raise typer.Exit(run_until_signalled(run))


def worker_arguments(
    apps: Sequence[str], use: Sequence[str], queues: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the arguments of `hatchet worker` for each worker, by what people know it by."""
    from hatchet_cli.apps import installed_for_all
    from hatchet_cli.exiting import CommandError, ExitCode

    if queues and len(apps) > 1:
        raise CommandError(
            "--queue is for one worker: of several on one queue, each would be given steps that "
            "only another can run",
            ExitCode.USAGE,
        )
    if not apps:
        try:
            use = use or installed_for_all()
        except CommandError as error:
            raise CommandError(f"{error}; or say --no-worker", error.code) from error
    options = (
        *(part for integration_id in use for part in ("--use", integration_id)),
        *(part for queue in queues for part in ("--queue", queue)),
    )
    if not apps:
        return {", ".join(use): options}
    return {app: (app, *options) for app in apps}


def _compact(data: dict[str, object]) -> str:
    import json

    return json.dumps(data, separators=(",", ":"))
