"""TLS in front of a server that has none."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["TlsTerminator", "server_context"]

_CHUNK_BYTES: Final = 64 * 1024
_HANDSHAKE_SECONDS: Final = 10.0


def server_context(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """Return what a gRPC server needs that demands a certificate of ``client_ca`` from clients.

    Raises:
        OSError: a file cannot be read, or is not what it must be.

    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])  # gRPC clients insist on it
    return context


class TlsTerminator:
    """Listens with TLS, and forwards the bytes of each client to a server without.

    ``port`` is the one that it listens on, any free one where 0 is asked for. Leaving the
    ``async with`` ends all connections.
    """

    def __init__(
        self, context: ssl.SSLContext, host: str, port: int, to_host: str, to_port: int
    ) -> None:
        self.port = port
        self._context = context
        self._host = host
        self._to = (to_host, to_port)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Begin to listen.

        Raises:
            OSError: the port is taken.

        """
        self._server = await asyncio.start_server(
            self._serve,
            self._host,
            self.port,
            ssl=self._context,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        if connection is not None:
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)
        try:
            # Cancelled when all ends, and that is no error of this task.
            with suppress(OSError, asyncio.CancelledError):
                await self._forward(reader, writer)
        finally:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._to)
        try:
            directions = [
                asyncio.create_task(_pump(reader, to_server)),
                asyncio.create_task(_pump(from_server, writer)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
        finally:
            to_server.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
