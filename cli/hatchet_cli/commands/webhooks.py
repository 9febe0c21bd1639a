"""`hatchet webhooks`: the process that takes events by HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["webhooks"]


def webhooks(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PROVIDER]...",
            help="github, slack, standard-webhooks, stripe, or one that the file describes.",
            show_default="all that the file describes",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="The file that describes other providers.")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Where to listen.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="The port; 0 is any.", show_default="8080", min=0, max=65535),
    ] = None,
) -> None:
    """Publish what providers post to /webhooks/PROVIDER, until SIGTERM.

    Each needs its signing secret, such as HATCHET_SECRET_STRIPE_SIGNING_SECRET.
    """
    import asyncio

    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.ops.address import read_ops_address
    from hatchet_cli.ops.receivers import webhook_ops
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import broker_failures, read_settings
    from hatchet_cli.settings.environment import tell_unknown_variables
    from hatchet_cli.webhook_providers import find_secret, providers_named, webhook_failures
    from hatchet_router.webhooks.service import serve_webhooks
    from hatchet_router.webhooks.status import WebhookStatus

    configure_logs()
    ops_address = read_ops_address()
    settings = read_settings(webhooks_file=file, webhooks_host=host, webhooks_port=port)
    tell_unknown_variables()
    with webhook_failures():
        providers = providers_named(names or [], settings.webhooks_file)

        async def run(stop: asyncio.Event) -> int:
            status = WebhookStatus()
            async with webhook_ops(ops_address, status):
                with broker_failures(refused=ExitCode.USAGE):
                    await serve_webhooks(settings, providers, find_secret, stop, status)
            return ExitCode.SUCCESS

        raise typer.Exit(run_until_signalled(run))
