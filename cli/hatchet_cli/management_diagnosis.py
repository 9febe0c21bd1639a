"""What RabbitMQ's management API knows and AMQP does not tell: policies, replicas, alarms."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import aiohttp

from hatchet_cli.findings import Finding
from hatchet_router.topology import DELIVERY_LIMIT, Topology

__all__ = ["diagnose_management"]

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_REFUSED: Final = (401, 403)
_NOT_FOUND: Final = 404
# What a policy can do to a queue of ours, whose arguments do not say otherwise.
_WEAKENING: Final = {
    "message-ttl": "messages end there by themselves",
    "expires": "it vanishes while nobody uses it",
    "max-length": "its length is bounded",
    "max-length-bytes": "its length is bounded",
}


async def diagnose_management(url: str | None, amqp_url: str, topology: Topology) -> list[Finding]:
    """Return what the management API at ``url`` knows of our queues; a note where it is None."""
    if url is None:
        return [
            Finding(
                "policies",
                "note",
                "AMQP does not tell of policies, replicas and alarms",
                "set HATCHET_MANAGEMENT_URL to see them",
            )
        ]
    try:
        async with _session(url, amqp_url) as session:
            nodes = await _get(session, "api/nodes")
            vhost = quote(_vhost(amqp_url), safe="")
            found = list(_alarms(nodes))
            for name in (topology.queue, topology.dead_letters):
                queue = await _get(session, f"api/queues/{vhost}/{quote(name, safe='')}")
                found += _of_queue(name, queue, len(nodes))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        said = _said(error)
        return [Finding("policies", "note", f"the management API does not tell: {said}")]
    return found


def _session(url: str, amqp_url: str) -> aiohttp.ClientSession:
    """Return a session as the user that ``url`` names, or else the one of AMQP."""
    parts, amqp = urlsplit(url), urlsplit(amqp_url)
    who = parts if parts.username else amqp
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    place = f"{host}:{parts.port}" if parts.port else host
    credentials = f"{unquote(who.username or 'guest')}:{unquote(who.password or 'guest')}"
    encoded = base64.b64encode(credentials.encode()).decode("ascii")
    return aiohttp.ClientSession(
        f"{parts.scheme}://{place}{parts.path.rstrip('/')}/",
        headers={"Authorization": f"Basic {encoded}"},
        timeout=_TIMEOUT,
    )


async def _get(session: aiohttp.ClientSession, path: str) -> Any:
    """Return the JSON at ``path``, None where there is nothing."""
    async with session.get(path, allow_redirects=False) as response:
        if response.status == _NOT_FOUND:
            return None
        response.raise_for_status()
        return await response.json()


def _vhost(amqp_url: str) -> str:
    return unquote(urlsplit(amqp_url).path.removeprefix("/")) or "/"


def _alarms(nodes: list[Mapping[str, Any]]) -> Iterator[Finding]:
    for node in nodes:
        alarms = [kind for kind in ("mem", "disk_free") if node.get(f"{kind}_alarm")]
        if alarms:
            yield Finding(
                f"node {node['name']}",
                "problem",
                f"alarm: {', '.join(alarms)}: no message can be published",
                "give it more memory or disk",
            )


def _of_queue(name: str, queue: Mapping[str, Any] | None, nodes: int) -> Iterator[Finding]:
    if queue is None:
        return
    subject = f"policies on {name}"
    policy: dict[str, Any] = queue.get("effective_policy_definition") or {}
    weak = [f"{key}: {why}" for key, why in _WEAKENING.items() if key in policy]
    limit = policy.get("delivery-limit")
    own_limit = queue.get("arguments", {}).get("x-delivery-limit", DELIVERY_LIMIT)
    if isinstance(limit, int) and limit < own_limit:
        weak.append(
            f"delivery-limit: {limit} instead of {own_limit}, so healthy events are put aside"
        )
    if weak:
        by = queue.get("policy") or queue.get("operator_policy")
        yield Finding(
            subject, "problem", f"{by!r} weakens what is guaranteed: {'; '.join(weak)}", "change it"
        )
    else:
        yield Finding(subject, "ok", "none that weakens what is guaranteed")
    yield from _replicas(name, queue, nodes)


def _replicas(name: str, queue: Mapping[str, Any], nodes: int) -> Iterator[Finding]:
    members, online = queue.get("members") or [], queue.get("online") or []
    subject = f"replicas of {name}"
    if len(online) * 2 <= len(members):
        yield Finding(subject, "problem", f"{len(online)} of {len(members)} are there: no majority")
    elif len(members) < min(nodes, 3):
        yield Finding(
            subject,
            "note",
            f"{len(members)} in a cluster of {nodes}",
            "run on a node: rabbitmq-queues grow",
        )
    elif len(online) < len(members):
        yield Finding(subject, "note", f"{len(online)} of {len(members)} are there")


def _said(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        if error.status in _REFUSED:
            return f"HTTP {error.status}: the user needs the tag 'monitoring'"
        return f"HTTP {error.status}"
    return str(error) or type(error).__name__
