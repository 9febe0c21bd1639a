"""Free ports on the loopback interface."""

import random
import socket
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

LOOPBACK: Final = "127.0.0.1"

# Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing
# connections: a client that keeps trying to reach a server that is down can then never be given
# that server's own port.
_FIRST_PORT: Final = 20_000
_LAST_PORT: Final = 32_000
_BLOCK_SIZE: Final = 8


class PortBlock:
    """Free loopback ports that no other `PortBlock` on this machine shares, until `close()`.

    The first port of the block stays bound and unused: the kernel thereby keeps every other
    block away from its neighbours, also those of other processes, and forgets the claim when this
    process ends. `numbers` are the ports to use. Raises `OSError` if no block is free.
    """

    def __init__(self, count: int) -> None:
        if not 0 < count < _BLOCK_SIZE:
            raise ValueError(f"a block has 1 to {_BLOCK_SIZE - 1} ports, not {count!r}")
        starts = range(_FIRST_PORT, _LAST_PORT, _BLOCK_SIZE)
        for start in random.SystemRandom().sample(starts, len(starts)):
            numbers = tuple(range(start + 1, start + 1 + count))
            claim = _bind(start)
            if claim is None:
                continue
            if all(_is_free(port) for port in numbers):
                self._claim = claim
                self.numbers = numbers
                return
            claim.close()
        raise OSError(f"no {count} free ports in a row between {_FIRST_PORT} and {_LAST_PORT}")

    def close(self) -> None:
        """Give the ports back. May be called again."""
        self._claim.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _is_free(port: int) -> bool:
    bound = _bind(port)
    if bound is None:
        return False
    bound.close()
    return True


def _bind(port: int) -> socket.socket | None:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with suppress(OSError):
        candidate.bind((LOOPBACK, port))
        return candidate
    candidate.close()
    return None
