"""`hatchet codec-server`: what is encrypted, in plain text for those who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio

__all__ = ["codec_server"]

_UI_ORIGINS = ("http://localhost:8233", "http://127.0.0.1:8233")


def codec_server(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 for any free one.", min=0, max=65535)
    ] = 8081,
    ui_origins: Annotated[
        list[str] | None,
        typer.Option(
            "--ui-origin",
            metavar="ORIGIN",
            help="A web UI that may ask, such as https://cloud.temporal.io; repeat it for more.",
            show_default=" ".join(_UI_ORIGINS),
        ),
    ] = None,
) -> None:
    """Decrypt what the Temporal UI shows, until SIGTERM.

    It has the keys of HATCHET_ENCRYPTION_KEYS, or of HATCHET_ENCRYPTION_KEYS_FILE. With
    HATCHET_CODEC_TOKEN it answers only to those who have that; without one, on loopback alone.
    """
    import os

    import structlog

    from hatchet_cli.codec_counts import CodecCounts
    from hatchet_cli.codec_server import codec_application, serving_codec
    from hatchet_cli.exiting import CommandError, ExitCode
    from hatchet_cli.key_files import warn_about_exposed_keys
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.ops.address import read_ops_address
    from hatchet_cli.ops.codecs import codec_ops
    from hatchet_cli.running import run_until_signalled
    from hatchet_cli.servers import encryption_codec
    from hatchet_cli.settings.environment import tell_unknown_variables

    configure_logs()
    warn_about_exposed_keys()
    tell_unknown_variables()
    token = os.environ.get("HATCHET_CODEC_TOKEN")
    if not token and not _is_loopback(host):
        raise CommandError(
            f"whoever reaches {host} could read all data: set HATCHET_CODEC_TOKEN, "
            "or listen on 127.0.0.1",
            ExitCode.USAGE,
        )
    ops_address = read_ops_address()
    counts = CodecCounts()
    application = codec_application(encryption_codec(), ui_origins or _UI_ORIGINS, token, counts)

    async def run(stop: asyncio.Event) -> int:
        async with (
            serving_codec(application, host, port) as url,
            codec_ops(ops_address, counts, stop),
        ):
            structlog.get_logger("hatchet.codec").info("codec.ready", url=url)
            await stop.wait()
        return ExitCode.SUCCESS

    raise typer.Exit(run_until_signalled(run))


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
