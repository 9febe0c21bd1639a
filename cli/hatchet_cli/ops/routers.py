"""What a router tells operators."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health, health_pages
from hatchet_cli.ops.server import serving
from hatchet_router.status import RouterStatus

__all__ = ["router_ops"]


@asynccontextmanager
async def router_ops(address: OpsAddress | None, status: RouterStatus) -> AsyncGenerator[None]:
    """Serve the pages of the router that keeps ``status`` for the time of the block.

    Raises:
        CommandError: nothing can listen at ``address``.

    """

    def health() -> Health:
        return Health(status.phase, status.readiness.report())

    async with serving(address, health_pages(health)):
        yield
