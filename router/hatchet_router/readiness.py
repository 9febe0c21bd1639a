"""Whether the router does its work, and if not, why."""

from __future__ import annotations

from typing import Final

import structlog

__all__ = ["Readiness"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

# Events are routed all the same, by the workflow files that were in force before.
_HARMLESS: Final = frozenset({"schedules", "workflows"})


class Readiness:
    """What is wrong, by where the trouble is; most of it keeps the router from routing.

    Each change is logged once, however often the trouble is noticed.
    """

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong, by place, such as ``rabbitmq``, ``temporal`` or ``workflows``."""
        return dict(self._troubles)

    @property
    def is_ready(self) -> bool:
        """Whether nothing is wrong that keeps the router from routing."""
        return self._troubles.keys() <= _HARMLESS

    def trouble(self, place: str, reason: str) -> None:
        """Keep that something is wrong there."""
        if self._troubles.get(place) != reason:
            self._troubles[place] = reason
            event = "router.degraded" if place in _HARMLESS else "router.not_ready"
            _log.warning(event, place=place, reason=reason)

    def mended(self, place: str) -> None:
        """Keep that nothing is wrong there any more."""
        if self._troubles.pop(place, None) is not None:
            _log.info("router.mended", place=place, ready=self.is_ready)
