"""Names into addresses, none but those that may be called."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver, ResolveResult

from hatchet_worker.integrations.http.addresses import Network, is_permitted, literal_address
from hatchet_worker.integrations.http.targets import forbidden_address

__all__ = ["CheckingResolver"]


class CheckingResolver(AbstractResolver):
    """Looks a name up once for each connection, which then goes to what was found and checked.

    So a name server that answers differently the next time gains nothing. A name with one
    forbidden address among others is not called at all.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises:
            ForbiddenTarget: it has one that may not be called.
            OSError: it has none.

        """
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in infos
        ]
        for found in results:
            address = literal_address(found["host"])
            if address is None or not is_permitted(address, self._networks):
                raise forbidden_address(host, found["host"])
        return results

    async def close(self) -> None:
        """Do nothing: there is nothing to give up."""
