"""Waiting for a server that is away: how long between attempts, and what the log says."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
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
    ``readiness`` is told of what lasts for more than five seconds. What nobody is `waiting` for any
    more is forgotten, since nobody would notice its end.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        readiness: Readiness | None = None,
    ) -> None:
        self._clock = clock
        self._readiness = readiness
        self._waiting = 0
        self._reason: str | None = None
        self._since: float | None = None
        self._told = 0.0

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Surround what calls Temporal until it gets through, or is given up."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._since = None
                self._mended()

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
        self._mended()

    def _trouble(self, now: float, status: str, reason: str) -> None:
        if self._readiness is None or self._reason or self._since is None:
            return
        if now - self._since > _NOT_READY_SECONDS and "temporal" not in self._readiness.troubles:
            self._reason = f"it does not answer ({status}): {reason}"
            self._readiness.trouble("temporal", self._reason)

    def _mended(self) -> None:
        """Take back what readiness was told, where nobody has told it a better reason since."""
        reason, self._reason = self._reason, None
        if reason and self._readiness and self._readiness.troubles.get("temporal") == reason:
            self._readiness.mended("temporal")
