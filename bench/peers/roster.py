"""Who is measured, and with which settings; ``README.md`` says where the settings come from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.servers import PostgresServer, RedisServer, StateServer

__all__ = ["PEERS", "PEERS_PYTHON", "ROOT", "Peer"]

ROOT: Final = Path(__file__).parents[2]
PEERS_PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Peer:
    """One line of the table.

    ``variables`` are the environment of the process, with ``{amqp}``, ``{temporal}``, ``{port}``
    (a free one), ``{folder}`` and ``{server}`` for addresses. ``server`` keeps its state, besides
    the RabbitMQ and the Temporal that are there anyway. ``share`` is how much of the jobs it is
    given: a slow one would else take all the time.
    """

    name: str
    module: str
    settings: str
    variables: Mapping[str, str]
    python: Path = PEERS_PYTHON
    server: type[StateServer] | None = None
    share: float = 1.0


_CELERY: Final = {"PEER_AMQP": "{amqp}", "PEER_REDIS": "redis://{server}/0"}

_HATCHET: Final = {
    "HATCHET_AMQP_URL": "{amqp}",
    "HATCHET_EXCHANGE": "peers-{port}.events",
    "HATCHET_QUEUE": "peers-{port}",
    "HATCHET_WORKER_QUEUES": "peers-{port}",
    "HATCHET_LOG_LEVEL": "WARNING",
    "TEMPORAL_ADDRESS": "{temporal}",
}

PEERS: Final = (
    Peer(
        "Hatchet",
        "with_hatchet",
        "regular steps, one router, one worker, defaults",
        {**_HATCHET, "PEER_MODE": "regular"},
        python=Path(sys.executable),
    ),
    Peer(
        "Hatchet, local steps",
        "with_hatchet",
        "the same with mode: local",
        {**_HATCHET, "PEER_MODE": "local"},
        python=Path(sys.executable),
    ),
    Peer(
        "Celery, fastest",
        "with_celery",
        "prefork, a process per core, prefetch 128, early ack, classic queue, Redis",
        _CELERY,
        server=RedisServer,
    ),
    Peer(
        "Celery, no task lost",
        "with_celery",
        "the same with late ack, confirms, quorum queue",
        {**_CELERY, "PEER_LOSES_NOTHING": "1"},
        server=RedisServer,
    ),
    Peer(
        "DBOS",
        "with_dbos",
        "started in the process that runs it, pool 16, threads 16, PostgreSQL",
        {"PEER_DATABASE": "postgresql://{server}/dbos"},
        server=PostgresServer,
    ),
    Peer(
        "DBOS, queue",
        "with_dbos_queue",
        "the same, triggered by another process over DBOS's queue, looked at every 50 ms",
        {"PEER_DATABASE": "postgresql://{server}/dbos"},
        server=PostgresServer,
    ),
    Peer(
        "Prefect",
        "with_prefect",
        "tasks called in one process, one server, PostgreSQL, results in files",
        {
            "PREFECT_HOME": "{folder}/prefect",
            "PREFECT_API_URL": "http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://{server}/postgres",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
            "PREFECT_LOGGING_LEVEL": "WARNING",
        },
        server=PostgresServer,
        share=0.1,
    ),
)
"""Hatchet first, as the others are compared with it."""
