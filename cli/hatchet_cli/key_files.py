"""Files with keys that others on this machine can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

__all__ = ["exposed_keys", "warn_about_exposed_keys"]

_VARIABLES: Final = (
    "HATCHET_AMQP_TLS_CERT",
    "HATCHET_AMQP_TLS_KEY",
    "HATCHET_ENCRYPTION_KEYS_FILE",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
)


def exposed_keys(environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the variable and the file of each key that more accounts can read than need to.

    As for PostgreSQL's keys, a file of one's own is for nobody else, and one of root may be for a
    group. What cannot be looked at is not told: using it fails, and says why.
    """
    given = os.environ if environment is None else environment
    for variable in _VARIABLES:
        file = given.get(variable)
        if file and _is_exposed(Path(file)):
            if variable == "HATCHET_AMQP_TLS_CERT" and not _has_key(Path(file)):
                continue
            yield variable, file


def warn_about_exposed_keys() -> None:
    """Log each of `exposed_keys`."""
    import structlog

    log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.cli")
    for variable, file in exposed_keys():
        log.warning(
            "key.exposed", setting=variable, file=file, hint=f"others can read it: chmod 600 {file}"
        )


def _has_key(file: Path) -> bool:
    try:
        return b"PRIVATE KEY-----" in file.read_bytes()
    except OSError:
        return False


def _is_exposed(file: Path) -> bool:
    try:
        found = file.stat()
    except OSError:
        return False
    others = (
        stat.S_IRWXO if found.st_uid == 0 and os.geteuid() != 0 else stat.S_IRWXO | stat.S_IRWXG
    )
    return bool(found.st_mode & others)
