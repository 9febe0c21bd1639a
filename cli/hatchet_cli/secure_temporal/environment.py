"""The file of environment variables that lead to the servers of development."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from hatchet_cli.secure_temporal.certificates import CertificateFiles

__all__ = ["DEFAULT_ADDRESS", "write_environment"]

DEFAULT_ADDRESS: Final = "127.0.0.1:7233"

_HEAD: Final = """\
# Where RabbitMQ and Temporal are, for development. In a shell: set -a; . ./.env; set +a
# ./task generate-certs makes the files, ./task start-temporal-server the server.
"""


def write_environment(path: Path, certificates: CertificateFiles) -> bool:
    """Write ``path`` with the default addresses; return False if it is there already.

    Raises:
        OSError: it cannot be written.

    """
    folder = CertificateFiles(certificates.folder.absolute())
    variables = {
        "HATCHET_AMQP_URL": "amqp://guest:guest@localhost:5672/",
        "TEMPORAL_ADDRESS": DEFAULT_ADDRESS,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(folder.ca),
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(folder.certificate("worker")),
        "TEMPORAL_TLS_CLIENT_KEY_PATH": str(folder.key("worker")),
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines([_HEAD, *lines])
    return True
