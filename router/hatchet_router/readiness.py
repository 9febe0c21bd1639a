"""Whether the router does its work, and if not, why and since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import structlog

__all__ = ["Readiness", "Trouble"]

# Events are routed all the same, by the workflow files that were in force before.
_HARMLESS: Final = frozenset({"schedules", "workflows"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong at a place, and since when something has been wrong there.

    One that is harmless does not keep the router from routing.
    """

    place: str
    reason: str
    since: datetime
    harmless: bool = False


class Readiness:
    """What is wrong, by where the trouble is; most of it keeps the router from routing.

    Each change is logged once, however often the trouble is noticed, as ``<process>.not_ready`` and
    the like.
    """

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, process: str = "router"
    ) -> None:
        self._process = process
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger(f"hatchet.{process}")
        self._troubles: dict[str, Trouble] = {}
        self._now = now

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong, by place, such as ``rabbitmq``, ``temporal`` or ``workflows``."""
        return {place: trouble.reason for place, trouble in self._troubles.items()}

    @property
    def is_ready(self) -> bool:
        """Whether nothing is wrong that keeps the router from routing."""
        return self._troubles.keys() <= _HARMLESS

    def report(self) -> tuple[Trouble, ...]:
        """Return what is wrong, the oldest trouble first."""
        return tuple(self._troubles.values())

    def trouble(self, place: str, reason: str) -> None:
        """Keep that something is wrong there."""
        known = self._troubles.get(place)
        if known is not None and known.reason == reason:
            return
        harmless = place in _HARMLESS
        self._troubles[place] = (
            Trouble(place, reason, self._now(), harmless)
            if known is None
            else replace(known, reason=reason)
        )
        what = "degraded" if harmless else "not_ready"
        self._log.warning(f"{self._process}.{what}", place=place, reason=reason)

    def mended(self, place: str) -> None:
        """Keep that nothing is wrong there any more."""
        if self._troubles.pop(place, None) is not None:
            self._log.info(f"{self._process}.mended", place=place, ready=self.is_ready)
