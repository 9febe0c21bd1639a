"""Temporal's native core in this process: its threads, its log, and what it measures."""

from __future__ import annotations

import logging
import socket
from typing import Final

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

__all__ = ["CORE", "CoreRuntime"]

_LOOPBACK: Final = "127.0.0.1"
_ATTEMPTS: Final = 5


class CoreRuntime:
    """The one runtime of a process, since each has threads of its own; made when first used."""

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._metrics_port: int | None = None

    @property
    def runtime(self) -> Runtime:
        """The runtime; its log goes to the Python logger ``temporalio.core``, never to stdout."""
        if self._runtime is None:
            self._runtime = _runtime(None)
        return self._runtime

    def serve_metrics(self) -> int | None:
        """Let the core tell what it measures on a loopback port; return the port.

        None where the process uses a runtime already that does not.
        """
        attempts = _ATTEMPTS
        while self._runtime is None:
            port = _free_port()
            try:
                self._runtime = _runtime(f"{_LOOPBACK}:{port}")
            except ValueError:
                # Somebody else was quicker: the core does not tell a port that it chooses itself.
                attempts -= 1
                if not attempts:
                    raise
            else:
                self._metrics_port = port
        return self._metrics_port


CORE: Final = CoreRuntime()
"""That of this process."""


def _runtime(metrics_address: str | None) -> Runtime:
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
            ),
            metrics=None
            if metrics_address is None
            else PrometheusConfig(
                metrics_address,
                # As Prometheus wants names and units to be.
                counters_total_suffix=True,
                unit_suffix=True,
                durations_as_seconds=True,
            ),
        )
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
