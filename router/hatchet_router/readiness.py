"""Whether the router does its work, and if not, why."""

from __future__ import annotations

import structlog

__all__ = ["Readiness"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")


class Readiness:
    """What keeps the router from routing, by where the trouble is: nothing, while it is ready.

    Each change is logged once, however often the trouble is noticed.
    """

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong, by place: ``rabbitmq``, ``queues`` or ``temporal``."""
        return dict(self._troubles)

    @property
    def is_ready(self) -> bool:
        """Whether nothing is wrong."""
        return not self._troubles

    def trouble(self, place: str, reason: str) -> None:
        """Keep that something is wrong there."""
        if self._troubles.get(place) != reason:
            self._troubles[place] = reason
            _log.warning("router.not_ready", place=place, reason=reason)

    def mended(self, place: str) -> None:
        """Keep that nothing is wrong there any more."""
        if self._troubles.pop(place, None) is not None:
            _log.info("router.mended", place=place, ready=self.is_ready)
