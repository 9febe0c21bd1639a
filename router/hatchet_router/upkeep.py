"""Keeping a session's things on the broker as they should be, while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, NoReturn

import structlog

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.errors import BrokerError
from hatchet_router.readiness import Readiness
from hatchet_router.session import Session

__all__ = ["Upkeep"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_TICK_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 15.0
_DECLARE_SECONDS: Final = 4.0
_DECLARE_SHARE: Final = 0.05
_DECLARE_LONGEST_SECONDS: Final = 25.0


class Upkeep:
    """Mends what somebody has deleted, gives signs of life, and binds what new files want.

    ``readiness`` is told what cannot be done.
    """

    def __init__(self, session: Session, readiness: Readiness) -> None:
        self._session = session
        self._readiness = readiness

    async def run(self) -> NoReturn:
        """Go on until cancelled."""
        clock = asyncio.get_running_loop().time
        declare_at = clock() + _DECLARE_SECONDS
        tidy_at = clock() + _TIDY_SECONDS
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if not self._session.is_up_to_date:
                await self.adopt()
            if clock() >= tidy_at:
                await self._told(self._session.tidy())
                tidy_at = clock() + _TIDY_SECONDS
            if clock() >= declare_at:
                began = clock()
                await self._told(self._session.mend())
                declare_at = clock() + _until_mended_again(clock() - began)

    async def adopt(self) -> None:
        """Let the broker bring what the router's files want."""
        await self._told(self._session.adopt())

    async def _told(self, preparing: Awaitable[None]) -> None:
        try:
            await preparing
        except BrokerError as error:
            self._readiness.trouble("queues", str(error))
        except CONNECTION_ERRORS as error:
            self._readiness.trouble("rabbitmq", str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours: events are routed all the same
            _log.exception("router.upkeep_failed")
            self._readiness.trouble("queues", f"{type(error).__name__}: {error}")
        else:
            self._readiness.mended("queues")
            self._readiness.mended("rabbitmq")


def _until_mended_again(took_seconds: float) -> float:
    """Return the seconds to wait, so that a broker with thousands of bindings has other work."""
    return min(max(took_seconds / _DECLARE_SHARE, _DECLARE_SECONDS), _DECLARE_LONGEST_SECONDS)
