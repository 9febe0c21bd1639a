"""Certificates for development: an authority of one's own, and what it issues."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trustme import Blob

__all__ = ["CertificateFiles", "write_certificates"]

_VALID_DAYS: Final = 365
_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_CLIENTS: Final = ("worker", "admin")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the files are in ``folder``: ``<name>.pem`` and, but for the CA, ``<name>.key``."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The certificate of the authority; its key is nowhere."""
        return self.folder / "ca.pem"

    def certificate(self, name: str) -> Path:
        """Return the certificate of the ``cluster``, a ``worker`` or an ``admin``."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """Return the private key of that certificate."""
        return self.folder / f"{name}.key"


def write_certificates(folder: Path) -> bool:
    """Write all files into ``folder``, or none; return False if it is there already.

    They are good for a year, and for this machine alone: the cluster's is for the loopback
    addresses. Keys are for their owner only.

    Raises:
        OSError: the folder cannot be written.

    """
    import trustme

    if folder.exists():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        files = CertificateFiles(new)
        authority = trustme.CA()
        until = dt.datetime.now(dt.UTC) + dt.timedelta(days=_VALID_DAYS)
        _write(files.ca, authority.cert_pem, mode=0o644)
        for name in ("cluster", *_CLIENTS):
            identities = _HOSTS if name == "cluster" else (f"{name}@hatchet.localhost",)
            issued = authority.issue_cert(*identities, common_name=name, not_after=until)
            _write(files.certificate(name), *issued.cert_chain_pems, mode=0o644)
            _write(files.key(name), issued.private_key_pem, mode=0o600)
        new.rename(folder)
    except BaseException:
        shutil.rmtree(new)
        raise
    return True


def _write(path: Path, *blobs: Blob, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(blob.bytes() for blob in blobs)
