"""What is wrong with Temporal and on its task queues; nothing there is changed."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    GetSystemInfoRequest,
    PollWorkflowTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from hatchet_cli.certificates import (
    authorities_finding,
    chain_finding,
    pem_finding,
    server_certificate_finding,
)
from hatchet_cli.definitions import counted
from hatchet_cli.findings import Finding
from hatchet_cli.host_ports import host_and_port
from hatchet_cli.retention import retention_of
from hatchet_schemas.search_attributes import SEARCH_ATTRIBUTES
from hatchet_worker.connection import TemporalSettings, connect
from hatchet_worker.errors import NamespaceNotFound, SettingsError, TemporalUnreachable

__all__ = ["clock_skew", "diagnose_temporal"]

_SAFE_RETENTION_DAYS: Final = 7
_OLDEST: Final = (1, 24)  # knows what to do with a second start of an id
_MAX_SKEW: Final = timedelta(seconds=5)
_MAX_QUEUES: Final = 50
_POLL: Final = timedelta(seconds=5)
_POLL_LOOKS: Final = 40
_POLL_LOOK_SECONDS: Final = 0.05
_PORT: Final = 7233
_KEYWORD: Final = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

_Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


async def diagnose_temporal(
    settings: TemporalSettings, queues: Iterable[str] = ()
) -> list[Finding]:
    """Return what is found at the Temporal of ``settings``, whose jobs use the task ``queues``."""
    try:
        client = await connect(settings)
    except TemporalUnreachable as error:
        return [
            Finding("Temporal", "problem", str(error), unreachable=True),
            *await _certificates(settings),
        ]
    except SettingsError as error:
        return [Finding("Temporal", "problem", str(error))]
    except NamespaceNotFound as error:
        return [Finding("Temporal", "problem", str(error))]
    return [
        await _version(client, settings),
        *await _certificates(settings),
        _encryption(settings),
        await _retention(client),
        await _search_attributes(client),
        await _clock(client),
        *[await _workers(client, queue) for queue in sorted(set(queues))[:_MAX_QUEUES]],
    ]


async def _version(client: Client, settings: TemporalSettings) -> Finding:
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    detail = f"{settings.address}, namespace {client.namespace!r}, server {info.server_version}"
    numbers = tuple(map(int, re.findall(r"\d+", info.server_version)[:2]))
    if numbers and numbers < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return Finding("Temporal", "problem", detail, f"needs {oldest} or newer")
    return Finding("Temporal", "ok", detail)


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
    wrong = {
        name: _type_name(known.custom_attributes[name])
        for name in SEARCH_ATTRIBUTES
        if known.custom_attributes.get(name, _KEYWORD) != _KEYWORD
    }
    if wrong:
        said = ", ".join(f"{name} is of type {kind}, not Keyword" for name, kind in wrong.items())
        return Finding(
            "search attributes",
            "problem",
            said,
            "routers do without: temporal operator search-attribute remove, then restart one",
        )
    if missing:
        return Finding(
            "search attributes",
            "note",
            f"missing: {', '.join(missing)}",
            "a router adds them where it may; `hatchet publish --wait` needs them",
        )
    return Finding("search attributes", "ok", ", ".join(SEARCH_ATTRIBUTES))


def _type_name(kind: IndexedValueType.ValueType) -> str:
    return IndexedValueType.Name(kind).rpartition("_")[2].capitalize()


async def _clock(client: Client) -> Finding:
    try:
        skew = await clock_skew(client)
    except (RPCError, TimeoutError) as error:
        return Finding("clock", "note", f"Temporal's time is not known: {error}")
    seconds = abs(skew.total_seconds())
    if abs(skew) > _MAX_SKEW:
        ahead = "behind" if skew > timedelta() else "ahead of"
        return Finding(
            "clock",
            "problem",
            f"this machine is {seconds:.0f} s {ahead} Temporal: deadlines and times are wrong",
            "let both follow NTP",
        )
    return Finding("clock", "ok", f"no more than {_MAX_SKEW.seconds} s from Temporal's")


async def clock_skew(client: Client, now: _Clock = _now) -> timedelta:
    """Return by how much Temporal's clock is ahead of ours, at least; negative where it is behind.

    Temporal tells when a task queue was last polled: we poll one that nobody else uses.

    Raises:
        RPCError: Temporal does not let us.
        TimeoutError: it does not tell.

    """
    queue = f"hatchet-doctor-{secrets.token_hex(8)}"
    before = now()
    request = PollWorkflowTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="hatchet-doctor"
    )
    polling = asyncio.ensure_future(
        client.workflow_service.poll_workflow_task_queue(request, timeout=_POLL)
    )
    try:
        for _ in range(_POLL_LOOKS):
            await asyncio.sleep(_POLL_LOOK_SECONDS)
            described = await _described(client, queue)
            for poller in described.pollers:
                seen = poller.last_access_time.ToDatetime(UTC)
                return max(seen - now(), timedelta()) + min(seen - before, timedelta())
        raise TimeoutError("no poll is seen")
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError, RPCError):
            await polling


async def _workers(client: Client, queue: str) -> Finding:
    subject = f"workers on {queue}"
    try:
        pollers = (await _described(client, queue)).pollers
    except RPCError as error:
        return Finding(subject, "note", f"cannot be seen: {error.message}")
    if not pollers:
        return Finding(
            subject, "note", "none in the last minutes: its jobs wait", "run: hatchet worker"
        )
    return Finding(subject, "ok", str(len(pollers)))


async def _described(client: Client, queue: str) -> DescribeTaskQueueResponse:
    return await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )


async def _certificates(settings: TemporalSettings) -> list[Finding]:
    """Return what there is to say of the server's certificate, of its CA's and of ours."""
    if not settings.tls and (settings.api_key is None or settings.tls is False):
        return []
    found: list[Finding] = []
    if isinstance(settings.tls, TLSConfig):
        found = [
            pem_finding(subject, pem.decode("ascii", "replace"), judge)
            for subject, pem, judge in (
                ("Temporal's CA", settings.tls.server_root_ca_cert, authorities_finding),
                ("our certificate for Temporal", settings.tls.client_cert, chain_finding),
            )
            if pem
        ]
    place = host_and_port(settings.address, _PORT)
    if place is not None:
        found.append(await server_certificate_finding("Temporal's certificate", *place))
    return found
