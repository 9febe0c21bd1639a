"""A quiet end for processes that have used Temporal."""

from __future__ import annotations

import atexit
import functools
import time
from typing import Final

__all__ = ["settle_at_exit"]

# 10 ms were always enough.
_SETTLE_SECONDS: Final = 0.05


@functools.cache
def settle_at_exit() -> None:
    """Let temporalio's native threads come to rest before the interpreter ends.

    They may still hand something to Python when all clients and workers are closed; if the
    interpreter is ending in this moment, the process aborts on Python 3.11 in a tenth of all cases.
    """
    atexit.register(time.sleep, _SETTLE_SECONDS)
