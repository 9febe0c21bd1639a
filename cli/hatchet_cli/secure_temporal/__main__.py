"""`python -m hatchet_cli.secure_temporal`: what `./task` calls for a Temporal with mutual TLS."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hatchet_cli.devstack import DevStackError, TemporalServer
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.running import run_until_signalled
from hatchet_cli.secure_temporal.certificates import CertificateFiles, write_certificates
from hatchet_cli.secure_temporal.environment import DEFAULT_ADDRESS, write_environment
from hatchet_cli.secure_temporal.terminator import TlsTerminator, server_context

_UI_PORT: Final = 8233
_PORTS: Final = range(2**16)


def main(arguments: list[str] | None = None) -> int:
    """Run the command that ``arguments`` name; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hatchet_cli.secure_temporal")
    parser.add_argument(
        "--certs", type=Path, default=Path("certs"), help="the certificates' folder"
    )
    commands = parser.add_subparsers(required=True)
    env = commands.add_parser("write-env", help="write .env, unless it is there")
    env.add_argument("--file", type=Path, default=Path(".env"))
    env.set_defaults(run=_write_env)
    certs = commands.add_parser("generate-certs", help="write certificates, unless they are there")
    certs.set_defaults(run=_generate_certs)
    serve = commands.add_parser("serve", help="run a Temporal that demands a certificate")
    serve.add_argument("--address", default=os.environ.get("TEMPORAL_ADDRESS") or DEFAULT_ADDRESS)
    serve.add_argument("--ui-port", type=_port, metavar="PORT", default=_UI_PORT)
    serve.add_argument(
        "--persist",
        dest="data",
        action="store_const",
        const=Path(".hatchet-dev/secure-temporal").absolute(),
        help="keep the data in .hatchet-dev",
    )
    serve.set_defaults(run=_serve)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except CommandError as error:
        _say(f"task: {error}")
        return error.code
    except OSError as error:
        _say(f"task: {error}")
        return ExitCode.USAGE


def _write_env(chosen: argparse.Namespace) -> int:
    written = write_environment(chosen.file, CertificateFiles(chosen.certs))
    said = "written; in a shell: set -a; . ./.env; set +a" if written else "kept as it is"
    _say(f"{chosen.file}: {said}")
    return ExitCode.SUCCESS


def _generate_certs(chosen: argparse.Namespace) -> int:
    written = write_certificates(chosen.certs)
    said = "written: ca, cluster, worker, admin" if written else "kept; delete it for new ones"
    _say(f"{chosen.certs}/: {said}")
    return ExitCode.SUCCESS


def _serve(chosen: argparse.Namespace) -> int:
    return run_until_signalled(partial(_serve_until, chosen))


async def _serve_until(chosen: argparse.Namespace, stop: asyncio.Event) -> int:
    host, port = _listening(chosen.address)
    files = CertificateFiles(chosen.certs)
    try:
        context = server_context(files.certificate("cluster"), files.key("cluster"), files.ca)
    except OSError as error:
        raise CommandError(
            f"the certificates in {chosen.certs}/ cannot be used ({error}); "
            "run: ./task generate-certs",
            ExitCode.USAGE,
        ) from error
    server = TemporalServer(chosen.data, ui_port=chosen.ui_port)
    try:
        await asyncio.to_thread(server.start)
        upstream = urlsplit(f"//{server.address}")
        async with TlsTerminator(
            context, host, port, upstream.hostname or "", upstream.port or 0
        ) as terminator:
            _say(
                f"Temporal {host}:{terminator.port}, for clients with a certificate of "
                f"{files.ca}\nweb UI   {server.ui_url}\nCtrl-C ends it"
            )
            await stop.wait()
    except DevStackError as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    except OSError as error:
        raise CommandError(f"cannot listen on {chosen.address}: {error}", ExitCode.USAGE) from error
    finally:
        await asyncio.to_thread(server.stop)
    return ExitCode.SUCCESS


def _listening(address: str) -> tuple[str, int]:
    with suppress(ValueError):  # as the port of an address that has none from 0 to 65535
        listen = urlsplit(f"//{address}")
        if listen.hostname is not None and listen.port is not None:
            return listen.hostname, listen.port
    raise CommandError(f"{address!r} is no host:port to listen on", ExitCode.USAGE)


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) in _PORTS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port, expected 0 to 65535")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
