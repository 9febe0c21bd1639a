"""A TCP proxy on the loopback interface that loses answers, and finds a server that lives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

__all__ = ["FaultyProxy", "faulty_proxy"]

_LOOPBACK: Final = "127.0.0.1"
_CHUNK_BYTES: Final = 65_536
_CONNECT_SECONDS: Final = 2.0

# HTTP/2 (RFC 9113), 4.1: length, type, flags and stream of a frame; 6.2: HEADERS.
_FRAME_HEADER_BYTES: Final = 9
_HEADERS: Final = 1
_END_STREAM: Final = 0x1


class FaultyProxy:
    """Forwards connections to the first of ``backends`` (ports) that accepts them.

    Where ``speaks_grpc`` it reads the server's answers as HTTP/2, and instead of forwarding every
    ``drop_every``-th (0 is none, which may be changed) it closes the connection: the request was
    served, and whoever made it does not know. ``dropped`` holds when, in Unix time.
    """

    def __init__(self, backends: Sequence[int], *, speaks_grpc: bool = False) -> None:
        self.drop_every = 0
        self.dropped: list[float] = []
        self.port = 0
        self._backends = backends
        self._speaks_grpc = speaks_grpc
        self._answers = 0
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Forward one connection, to its end."""
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
        to_server: asyncio.StreamWriter | None = None
        try:
            server, to_server = await self._connected()
            requests = asyncio.create_task(_forward(client, to_server))
            answers = asyncio.create_task(self._forward_answers(server, to_client))
            try:
                await asyncio.wait({requests, answers}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                requests.cancel()
                answers.cancel()
                await asyncio.gather(requests, answers, return_exceptions=True)
        except OSError:
            pass  # no server lives: the client sees its connection closed
        finally:
            for writer in (to_client, to_server):
                if writer is not None:
                    writer.transport.abort()
            if task is not None:
                self._connections.discard(task)

    async def close(self) -> None:
        """End all connections."""
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self._backends:
            with suppress(OSError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(_LOOPBACK, port)
        raise ConnectionRefusedError("no server listens")

    async def _forward_answers(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        if not self._speaks_grpc:
            await _forward(server, to_client)
            return
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                header = await server.readexactly(_FRAME_HEADER_BYTES)
                payload = await server.readexactly(int.from_bytes(header[:3], "big"))
                if header[3] == _HEADERS and not header[4] & _END_STREAM and self._shall_drop():
                    return
                to_client.write(header + payload)
                await to_client.drain()

    def _shall_drop(self) -> bool:
        self._answers += 1
        if not self.drop_every or self._answers % self.drop_every:
            return False
        self.dropped.append(time.time())
        return True


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def faulty_proxy(
    backends: Sequence[int], *, speaks_grpc: bool = False
) -> AsyncGenerator[FaultyProxy]:
    """Run a proxy for as long as the context lasts."""
    proxy = FaultyProxy(backends, speaks_grpc=speaks_grpc)
    server = await asyncio.start_server(proxy.serve, _LOOPBACK)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
