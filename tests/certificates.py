"""Certificates for tests: an authority, those it issues, and a server that shows one."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme

__all__ = ["Authority", "KeyPair", "tls_server"]

HOST = "127.0.0.1"


@dataclass(frozen=True)
class KeyPair:
    """The files of a certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A CA of its own, whose files are in ``folder``."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def certificate(self) -> Path:
        """The file with its certificate."""
        return self._written("ca.pem", self.authority.cert_pem)

    def issue(self, name: str, *identities: str, days: int = 1) -> KeyPair:
        """Issue a certificate that is good for ``days``; for -1, it has expired yesterday."""
        now = dt.datetime.now(dt.UTC)
        leaf = self.authority.issue_cert(
            *(identities or [f"{name}@hatchet.example"]),
            common_name=name,
            not_before=now - dt.timedelta(days=9),
            not_after=now + dt.timedelta(days=days),
        )
        return KeyPair(
            self._written(f"{name}.pem", *leaf.cert_chain_pems),
            self._written(f"{name}.key", leaf.private_key_pem),
        )

    def _written(self, name: str, *blobs: trustme.Blob) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return path


def _accepted(context: ssl.SSLContext, accepted: socket.socket) -> ssl.SSLSocket:
    return context.wrap_socket(accepted, server_side=True)


@contextmanager
def tls_server(shown: KeyPair, client_ca: Path | None = None) -> Iterator[int]:
    """Listen with TLS 1.2, and close what has shaken hands; give the port.

    With ``client_ca`` clients need a certificate of that CA. In TLS 1.2 a client is told during the
    handshake what is wrong with its certificate, and nothing can get lost.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(shown.certificate, shown.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listener.accept()
                    with accepted, suppress(OSError), _accepted(context, accepted) as tls:
                        tls.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
