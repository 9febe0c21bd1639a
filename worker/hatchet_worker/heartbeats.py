"""Signs of life of a running step, with what its action tells of its progress."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from pydantic_core import PydanticSerializationError, from_json, to_json
from temporalio import activity

from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_worker.errors import InvalidOutput

__all__ = ["Heartbeats"]


class Heartbeats:
    """Gives signs of life for the activity in which it is made.

    Temporal keeps the details of the last sign only, so each one repeats those of the action. Of
    local steps it takes none.
    ``masked`` is applied to details before they go anywhere.
    """

    def __init__(self, masked: Callable[[Any], Any]) -> None:
        self._masked = masked
        info = activity.info()
        self._is_heard = not info.is_local
        self._details = tuple(info.heartbeat_details)
        self._loop = asyncio.get_running_loop()
        # Temporal knows an activity by its context variables, and threads have none of them.
        self._activity = contextvars.copy_context()

    def record(self, *details: Any) -> None:
        """Give a sign of life with ``details``; it may be called from any thread, at any time.

        Raises:
            InvalidOutput: the details are not JSON data, or larger than `MAX_PAYLOAD_BYTES`.

        """
        self._details = tuple(self._masked(_plain(details)))
        with suppress(RuntimeError):  # a thread that outlived its step, and the worker with it
            self._loop.call_soon_threadsafe(self._beat, context=self._activity)

    @asynccontextmanager
    async def beating(self, seconds: float) -> AsyncGenerator[None]:
        """Give a sign of life every so many ``seconds``; the first only after these.

        What was recorded inside is on its way when it is left.
        """
        if not self._is_heard:
            yield
            return
        self._beat_after(seconds)
        try:
            yield
        finally:
            self._next.cancel()
            await asyncio.sleep(0)  # what was recorded waits for its turn in the loop

    def _beat_after(self, seconds: float) -> None:
        # Not a task, as most steps end before the first sign.
        self._next = self._loop.call_later(
            seconds, self._beat_and_go_on, seconds, context=self._activity
        )

    def _beat_and_go_on(self, seconds: float) -> None:
        self._beat_after(seconds)
        self._beat()

    def _beat(self) -> None:
        if self._is_heard:
            activity.heartbeat(*self._details)


def _plain(details: tuple[Any, ...]) -> list[Any]:
    try:
        encoded = to_json(details)
        plain = cast("list[Any]", from_json(encoded, allow_inf_nan=False))
    except (PydanticSerializationError, ValueError) as error:
        raise InvalidOutput(f"the details of a heartbeat are not JSON data: {error}") from None
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise InvalidOutput(
            f"the details of a heartbeat have {len(encoded):,} bytes as JSON, "
            f"at most {MAX_PAYLOAD_BYTES:,} fit"
        )
    return plain
