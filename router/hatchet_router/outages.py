"""Waiting for a server that is away: how long between attempts, and what the log says."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from hatchet_router.readiness import Readiness

__all__ = ["Outage", "backoff"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 3.0
_REMIND_SECONDS: Final = 60.0
_NOT_READY_SECONDS: Final = 5.0


def backoff() -> Iterator[float]:
    """Give the seconds to wait before each next attempt: doubling, with jitter, 3 at most.

    Whoever waits longer loses more time after the outage than he spares the server during it.
    """
    seconds = _FIRST_WAIT_SECONDS
    while True:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        seconds = min(seconds * 2, _LONGEST_WAIT_SECONDS)


class Outage:
    """Tells when Temporal does not answer, once a minute while that lasts, and when it is over.

    However many jobs wait for it, and however often each is tried, that is one record.
    ``readiness`` is told of what lasts for more than five seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        readiness: Readiness | None = None,
    ) -> None:
        self._clock = clock
        self._readiness = readiness
        self._is_trouble = False
        self._since: float | None = None
        self._told = 0.0

    def failed(self, status: str, reason: str) -> None:
        """Take note of a call that failed with this gRPC status."""
        now = self._clock()
        self._trouble(now, status, reason)
        if self._since is None:
            self._since = now
        elif now - self._told < _REMIND_SECONDS:
            return
        self._told = now
        _log.warning(
            "temporal.unavailable",
            status=status,
            reason=reason,
            for_seconds=round(now - self._since),
        )

    def over(self) -> None:
        """Take note of a call that got through."""
        if self._since is not None:
            seconds = round(self._clock() - self._since, 1)
            self._since = None
            _log.info("temporal.available", after_seconds=seconds)
        if self._is_trouble and self._readiness is not None:
            self._is_trouble = False
            self._readiness.mended("temporal")

    def _trouble(self, now: float, status: str, reason: str) -> None:
        if self._readiness is None or self._is_trouble or self._since is None:
            return
        if now - self._since > _NOT_READY_SECONDS and "temporal" not in self._readiness.troubles:
            self._is_trouble = True
            self._readiness.trouble("temporal", f"it does not answer ({status}): {reason}")
