"""What `hatchet doctor` finds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelClosed
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from hatchet_cli.definitions import counted
from hatchet_cli.devstack import ServerNotInstalledError
from hatchet_cli.devstack.rabbitmq import find_server as find_rabbitmq
from hatchet_cli.devstack.temporal import find_temporal
from hatchet_cli.key_files import exposed_keys
from hatchet_cli.retention import retention_of
from hatchet_router.addresses import without_credentials
from hatchet_router.amqp import connect as connect_to_rabbitmq
from hatchet_router.errors import BrokerTlsUnusable, BrokerUnreachable
from hatchet_router.folder import load_folder
from hatchet_router.settings import RouterSettings
from hatchet_schemas.names import SEARCH_ATTRIBUTES
from hatchet_worker.connection import TemporalSettings, connect
from hatchet_worker.errors import NamespaceNotFound, SettingsError, TemporalUnreachable

__all__ = ["Finding", "diagnose"]

_SAFE_RETENTION_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``note`` is worth knowing but stops nothing."""

    subject: str
    state: Literal["ok", "note", "problem"]
    detail: str
    mend: str = ""
    unreachable: bool = False


async def diagnose(settings: RouterSettings, temporal: TemporalSettings) -> list[Finding]:
    """Return all findings; servers that do not answer are findings too."""
    rabbitmq, of_temporal = await asyncio.gather(_rabbitmq(settings), _temporal(temporal))
    return [
        Finding("hatchet", "ok", f"{version('hatchet-workflows')}, Python {_python()}"),
        *_workflows(settings),
        *rabbitmq,
        *of_temporal,
        *_keys(),
        *_installed(),
    ]


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _workflows(settings: RouterSettings) -> Iterator[Finding]:
    definitions, problems = load_folder(settings.workflows, known_vars=frozenset(settings.vars))
    errors = [problem for problem in problems if problem.severity == "error"]
    mend = f"run: hatchet check {settings.workflows}"
    if errors:
        said = f"{settings.workflows}: {counted(len(errors), 'error')}, first: {errors[0]}"
        yield Finding("workflows", "problem", said, mend)
    elif problems:
        said = f"{settings.workflows}: {counted(len(problems), 'warning')}, first: {problems[0]}"
        yield Finding("workflows", "note", said, mend)
    else:
        yield Finding(
            "workflows", "ok", f"{settings.workflows}: {counted(len(definitions), 'workflow')}"
        )


async def _rabbitmq(settings: RouterSettings) -> list[Finding]:
    try:
        connection = await connect_to_rabbitmq(settings.broker_url, "hatchet-doctor")
    except BrokerTlsUnusable as error:
        return [Finding("RabbitMQ", "problem", str(error))]
    except BrokerUnreachable as error:
        return [
            Finding(
                "RabbitMQ",
                "problem",
                str(error),
                "to start one for development: hatchet dev, or docker compose up",
                unreachable=True,
            )
        ]
    try:
        return [
            Finding("RabbitMQ", "ok", without_credentials(settings.amqp_url)),
            await _queue(connection, settings.queue),
        ]
    finally:
        await connection.close()


async def _queue(connection: AbstractConnection, name: str) -> Finding:
    """Ask for the queue without declaring it."""
    channel = await connection.channel()
    try:
        queue = await channel.get_queue(name, ensure=True)
    except ChannelClosed:
        return Finding(
            "router", "note", f"queue {name!r} does not exist", "it is declared by: hatchet router"
        )
    counts = queue.declaration_result
    waiting = counted(counts.message_count or 0, "waiting event")
    if not counts.consumer_count:
        return Finding(
            "router", "note", f"none consumes from {name!r}, {waiting}", "run: hatchet router"
        )
    return Finding("router", "ok", f"{counts.consumer_count} on queue {name!r}, {waiting}")


async def _temporal(settings: TemporalSettings) -> list[Finding]:
    try:
        client = await connect(settings)
    except TemporalUnreachable as error:
        return [
            Finding(
                "Temporal",
                "problem",
                str(error),
                "to start one for development: hatchet dev, or docker compose up",
                unreachable=True,
            )
        ]
    except SettingsError as error:
        return [Finding("Temporal", "problem", str(error))]
    except NamespaceNotFound as error:
        return [Finding("Temporal", "problem", str(error), "set TEMPORAL_NAMESPACE, or create it")]
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    return [
        Finding(
            "Temporal",
            "ok",
            f"{settings.address}, namespace {client.namespace!r}, server {info.server_version}",
        ),
        _encryption(settings),
        await _retention(client),
        await _search_attributes(client),
    ]


def _encryption(settings: TemporalSettings) -> Finding:
    if settings.keys is None:
        return Finding(
            "encryption", "note", "none: Temporal keeps data as it is", "see docs/security.md"
        )
    newest, *older = (repr(key.id) for key in settings.keys.keys)
    also = f", and reads {', '.join(older)}" if older else ""
    return Finding("encryption", "ok", f"encrypts by the key {newest}{also}")


async def _retention(client: Client) -> Finding:
    days = (await retention_of(client)).days
    if days < _SAFE_RETENTION_DAYS:
        return Finding(
            "retention",
            "note",
            f"{counted(days, 'day')}: an event that comes again later than that would run twice",
            f"for production keep at least {_SAFE_RETENTION_DAYS} days",
        )
    return Finding("retention", "ok", counted(days, "day"))


async def _search_attributes(client: Client) -> Finding:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        return Finding("search attributes", "note", f"cannot be listed: {error.message}")
    missing = [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]
    if missing:
        return Finding(
            "search attributes",
            "note",
            f"missing: {', '.join(missing)}",
            "a router adds them where it may; `hatchet publish --wait` needs them",
        )
    return Finding("search attributes", "ok", ", ".join(SEARCH_ATTRIBUTES))


def _keys() -> Iterator[Finding]:
    for variable, file in exposed_keys():
        yield Finding("keys", "note", f"{variable}: others can read {file}", f"chmod 600 {file}")


def _installed() -> Iterator[Finding]:
    for subject, find in (("rabbitmq-server", find_rabbitmq), ("temporal", find_temporal)):
        try:
            yield Finding(f"{subject} (for dev)", "ok", find())
        except ServerNotInstalledError as error:
            yield Finding(f"{subject} (for dev)", "note", "not installed", str(error))
