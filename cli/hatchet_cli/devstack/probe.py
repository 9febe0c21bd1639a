"""Asks whether a server answers at an address, in its own protocol and without a client library.

A port that merely accepts connections proves little: a paused server's port does, and so does
whatever else happens to listen there.
"""

import http.client
import socket
import struct
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

# AMQP 0-9-1 specification, 4.2.2 (protocol header), 2.3.5 (frames), 1.4.2.1 (Connection.Start).
_AMQP_HEADER: Final = b"AMQP\x00\x00\x09\x01"
_AMQP_METHOD_FRAME: Final = 1
_AMQP_CONNECTION_START: Final = (10, 10)
_AMQP_FRAME_START: Final = struct.Struct(">BHLHH")  # type, channel, size, class, method

# RFC 9113, 3.4 (connection preface) and 4.1 (frame header).
_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HTTP2_EMPTY_SETTINGS: Final = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_HTTP2_SETTINGS_TYPE: Final = 4
_HTTP2_FRAME_HEADER_BYTES: Final = 9


def accepts_connections(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether anything listens on this TCP port."""
    with suppress(OSError), socket.create_connection((host, port), timeout_s):
        return True
    return False


def amqp_answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether an AMQP 0-9-1 server greets at this plaintext address within `timeout_s` seconds."""
    answer = _exchange((host, port), _AMQP_HEADER, _AMQP_FRAME_START.size, timeout_s)
    if answer is None:
        return False
    kind, _channel, _size, *method = _AMQP_FRAME_START.unpack(answer)
    return kind == _AMQP_METHOD_FRAME and tuple(method) == _AMQP_CONNECTION_START


def temporal_answers(address: str, timeout_s: float = 1.0) -> bool:
    """Whether a plaintext gRPC server, as Temporal is one, greets at `host:port`.

    It tells a live server from a dead or paused one, not Temporal from another gRPC service.
    Raises `ValueError` if the address has no port.
    """
    parts = urlsplit(f"//{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"expected host:port, not {address!r}")
    hello = _HTTP2_PREFACE + _HTTP2_EMPTY_SETTINGS
    answer = _exchange((parts.hostname, parts.port), hello, _HTTP2_FRAME_HEADER_BYTES, timeout_s)
    return answer is not None and answer[3] == _HTTP2_SETTINGS_TYPE


def http_answers(host: str, port: int, path: str = "/", timeout_s: float = 1.0) -> bool:
    """Whether a plaintext HTTP server answers a GET of this path with status 200."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _exchange(
    address: tuple[str, int], greeting: bytes, count: int, timeout_s: float
) -> bytes | None:
    """Send a greeting and return the first `count` bytes of the answer, None if there are none."""
    with suppress(OSError), socket.create_connection(address, timeout_s) as connection:
        connection.sendall(greeting)
        received = b""
        while len(received) < count:
            part = connection.recv(count - len(received))
            if not part:
                return None
            received += part
        return received
    return None
