"""The pages that each process of ours has for operators: its health, and its metrics."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health, health_pages
from hatchet_cli.ops.server import Page, Response, serving

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["telling"]


@asynccontextmanager
async def telling(
    address: OpsAddress | None,
    health: Callable[[], Health],
    metrics: Callable[[Health], Iterable[Metric]],
    *,
    look: Callable[[], Awaitable[object]] | None = None,
    with_core: bool = False,
) -> AsyncGenerator[None]:
    """Serve the pages of a process for the time of the block; none without ``address``.

    ``look`` comes before ``health`` is asked for what is ready or measured. ``with_core`` adds what
    Temporal's core measures: then this has to be entered before the process connects to Temporal.

    Raises:
        CommandError: nothing can listen at ``address``.

    """
    if address is None:
        yield
        return
    from hatchet_cli.ops.metrics import metrics_page

    core_port: int | None = None
    if with_core:
        from hatchet_worker.runtime import CORE

        core_port = CORE.serve_metrics()
    pages = health_pages(health)
    pages["/metrics"] = metrics_page(lambda: metrics(health()), core_port)
    if look is not None:
        for path in ("/readyz", "/metrics"):
            pages[path] = _after(look, pages[path])
    async with serving(address, pages):
        yield


def _after(look: Callable[[], Awaitable[object]], page: Page) -> Page:
    async def looked() -> Response:
        await look()
        return await page()

    return looked
