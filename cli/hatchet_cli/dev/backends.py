"""The RabbitMQ and the Temporal that `hatchet dev` runs on: those that are there, or its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hatchet_cli.devstack import RabbitmqServer, Server, TemporalServer, start_together
from hatchet_cli.devstack.probe import accepts_connections, http_answers
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.host_ports import host_and_port
from hatchet_cli.ops.address import OPS_ADDRESS
from hatchet_router.addresses import without_credentials
from hatchet_router.amqp import connect as connect_to_rabbitmq
from hatchet_router.errors import BrokerTlsUnusable, BrokerUnreachable
from hatchet_router.settings import RouterSettings
from hatchet_schemas.names import ROUTER_QUEUE
from hatchet_worker.connection import TemporalSettings
from hatchet_worker.connection import connect as connect_to_temporal
from hatchet_worker.errors import TemporalUnreachable

__all__ = ["Backends", "start_backends"]

_SHARED_QUEUE_SECONDS: Final = 60
_TEMPORAL_PORT: Final = 7233
# Where web UIs listen by default: RabbitMQ's management plugin; `start-dev`, and Temporal's image.
_RABBITMQ_UI_PORTS: Final = (15672,)
_TEMPORAL_UI_PORTS: Final = (8233, 8080)
_AMQP_PORTS: Final = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Backends:
    """Where the servers are, and the ``environment`` that leads a process of ours to them.

    ``amqp_url`` is fit to be shown, ``broker_url`` is what to connect to. A web UI's address is
    None where none was found at a server that is not ours.
    """

    amqp_url: str
    broker_url: str = field(repr=False)
    rabbitmq_ui: str | None
    temporal_address: str
    temporal_ui: str | None
    environment: dict[str, str] = field(repr=False)


async def start_backends(
    settings: RouterSettings,
    temporal_settings: TemporalSettings,
    lifetime: ExitStack,
    data_dir: Path | None = None,
) -> Backends:
    """Return servers that answer at their configured addresses, or private ones started for us.

    Private ones are stopped when ``lifetime`` closes; ``data_dir`` keeps what they store.

    Raises:
        BrokerTlsUnusable: the settings name files for TLS that cannot be used.
        CommandError: an address in them is none.

    """
    rabbitmq = (
        None
        if await _rabbitmq_is_there(settings.broker_url)
        else RabbitmqServer(_folder(data_dir, "rabbitmq"), management=True)
    )
    temporal = (
        None
        if await _temporal_is_there(temporal_settings)
        else TemporalServer(_folder(data_dir, "temporal"))
    )
    servers: list[Server] = [server for server in (rabbitmq, temporal) if server is not None]
    for server in servers:
        lifetime.callback(server.stop)
    await asyncio.to_thread(start_together, *servers)
    environment = dict(os.environ)
    environment.pop(OPS_ADDRESS, None)  # one port cannot be that of several processes
    # This process has read these files, and what it decides here goes before what they say.
    environment["HATCHET_ENV_FILE"] = environment["HATCHET_CONFIG"] = os.devnull
    if rabbitmq is None:
        # Another `hatchet dev` may use the same broker with another Temporal: a queue of our own
        # keeps its router from taking our events, and ours from taking its events.
        environment["HATCHET_QUEUE"] = f"{ROUTER_QUEUE}.dev-{secrets.token_hex(4)}"
        environment["HATCHET_QUEUE_EXPIRES_SECONDS"] = str(_SHARED_QUEUE_SECONDS)
    else:
        for name in [name for name in environment if name.startswith("HATCHET_AMQP_")]:
            del environment[name]
        environment["HATCHET_AMQP_URL"] = rabbitmq.amqp_url
    if temporal is None:
        # Nor may it keep the schedules of others there, which our files do not want.
        environment.setdefault("HATCHET_DEPLOYMENT", _deployment_of_folder())
    else:
        # A profile, a key or TLS settings were meant for another server than this one.
        for name in [name for name in environment if name.startswith("TEMPORAL_")]:
            del environment[name]
        environment["TEMPORAL_ADDRESS"] = temporal.address
        environment["TEMPORAL_NAMESPACE"] = temporal.namespace
        environment["TEMPORAL_TLS"] = "false"
    return Backends(
        amqp_url=rabbitmq.amqp_url if rabbitmq else without_credentials(settings.amqp_url),
        broker_url=rabbitmq.amqp_url if rabbitmq else settings.broker_url,
        rabbitmq_ui=(
            rabbitmq.management_url
            if rabbitmq
            else _usual_ui(urlsplit(settings.amqp_url).hostname, _RABBITMQ_UI_PORTS)
        ),
        temporal_address=temporal.address if temporal else temporal_settings.address,
        temporal_ui=(
            temporal.ui_url
            if temporal
            else _usual_ui(urlsplit(f"//{temporal_settings.address}").hostname, _TEMPORAL_UI_PORTS)
        ),
        environment=environment,
    )


def _deployment_of_folder() -> str:
    """Return the deployment of this folder on this machine: the next session finds it again."""
    place = f"{socket.gethostname()}:{Path.cwd()}"
    return f"dev-{hashlib.sha256(os.fsencode(place)).hexdigest()[:12]}"


def _folder(data_dir: Path | None, name: str) -> Path | None:
    return None if data_dir is None else data_dir / name


def _usual_ui(host: str | None, ports: Sequence[int]) -> str | None:
    host = host or "localhost"
    return next((f"http://{host}:{port}" for port in ports if http_answers(host, port)), None)


async def _rabbitmq_is_there(url: str) -> bool:
    place = host_and_port(url, _AMQP_PORTS)
    if place is None:
        raise CommandError(
            "HATCHET_AMQP_URL is no address of a RabbitMQ: expected amqp[s]://host:port/, "
            "with a port of at most 65535",
            ExitCode.USAGE,
        )
    if not accepts_connections(*place):
        return False
    try:
        connection = await connect_to_rabbitmq(url, "hatchet-dev")
    except BrokerTlsUnusable:
        raise
    except BrokerUnreachable:
        return False
    await connection.close()
    return True


async def _temporal_is_there(settings: TemporalSettings) -> bool:
    place = host_and_port(settings.address, _TEMPORAL_PORT)
    if place is None:
        raise CommandError(
            f"TEMPORAL_ADDRESS is {settings.address!r}: expected host:port, "
            "with a port of at most 65535",
            ExitCode.USAGE,
        )
    if not accepts_connections(*place):
        return False
    try:
        await connect_to_temporal(settings)
    except TemporalUnreachable:
        return False
    return True
