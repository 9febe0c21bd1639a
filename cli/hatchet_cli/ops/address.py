"""Where the port for operators is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hatchet_cli.exiting import CommandError, ExitCode

__all__ = ["OPS_ADDRESS", "OpsAddress", "read_ops_address"]

OPS_ADDRESS: Final = "HATCHET_OPS_ADDRESS"

_PORTS: Final = range(2**16)


@dataclass(frozen=True, slots=True)
class OpsAddress:
    """A host, None for all addresses of the machine, and a TCP port, 0 for any that is free."""

    host: str | None
    port: int

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def read_ops_address(environment: Mapping[str, str] | None = None) -> OpsAddress | None:
    """Return what ``HATCHET_OPS_ADDRESS`` says, None where it says nothing: then there is no port.

    It is ``host:port``, ``[IPv6]:port``, or ``:port`` for all addresses of the machine.

    Raises:
        CommandError: it is none of these.

    """
    text = (os.environ if environment is None else environment).get(OPS_ADDRESS, "").strip()
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if is_bracketed else host
    if (
        not colon
        or not (port.isascii() and port.isdecimal())
        or int(port) not in _PORTS
        or (":" in bare) != is_bracketed
    ):
        raise CommandError(
            f"{OPS_ADDRESS} is {text!r}: expected host:port, such as 127.0.0.1:9464, "
            "or :9464 for all addresses of this machine",
            ExitCode.USAGE,
        )
    return OpsAddress(bare or None, int(port))
