"""Calling an at-most-once action again, where it says that it has done nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from temporalio.common import RetryPolicy

from hatchet_worker.context import Context
from hatchet_worker.errors import Retry

__all__ = ["repeated"]

T = TypeVar("T")


async def repeated(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy | None,
    context: Context,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Return what ``call`` returns, which is called again for as long as it raises `Retry`.

    As often as ``policy`` allows, and with its waits where `Retry` names none; not where the next
    call would come after the deadline of ``context``.

    Raises:
        Retry: that was the last time.
        Exception: whatever else ``call`` raises.

    """
    policy = policy or RetryPolicy()
    for attempt in count(1):
        try:
            return await call()
        except Retry as refusal:
            wait = refusal.after or _wait(policy, attempt)
            last = policy.maximum_attempts and attempt >= policy.maximum_attempts
            if last or _is_over(context.deadline, wait):
                raise
            seconds = wait.total_seconds()
            context.logger.info("step.repeating", reason=str(refusal), seconds=seconds)
        await sleep(seconds)
    raise AssertionError("count() does not end")


def _wait(policy: RetryPolicy, attempt: int) -> timedelta:
    longest = policy.maximum_interval or policy.initial_interval * 100
    factor = policy.backoff_coefficient ** min(attempt - 1, 64)
    seconds = policy.initial_interval.total_seconds() * factor
    return timedelta(seconds=min(seconds, longest.total_seconds()))


def _is_over(deadline: datetime | None, wait: timedelta) -> bool:
    return deadline is not None and datetime.now(UTC) + wait >= deadline
