"""How a step runs on its worker: as a regular activity of Temporal's, or as a local one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, get_args

__all__ = ["MAX_LOCAL_TIMEOUT", "MAX_LOCAL_WAIT", "MODES", "Mode"]

Mode = Literal["regular", "local"]
"""``regular``: an activity that Temporal hands to a worker, and records before and after.

``local``: one that runs inside the workflow task; what it gave is recorded with that task's end.
Temporal's documents (https://docs.temporal.io/local-activity) mean it for functions that take no
longer than a few seconds, retries included.
"""

MODES: Final[tuple[Mode, ...]] = get_args(Mode)

MAX_LOCAL_TIMEOUT: Final = timedelta(seconds=5)
"""The longest timeout of a local step.

A workflow task takes at most 10 s. After 8 s of them (80 %) the worker asks for another task to go
on with, and until then the job neither hears of its cancellation, nor is anything recorded of the
steps that are done. With half of the 10 s, one attempt that runs into its timeout comes in time.
"""

MAX_LOCAL_WAIT: Final = timedelta(seconds=10)
"""The longest wait between two attempts at a local step: a workflow task's length.

The default policy waits at most 8 s. Where more is needed, what is waited for is another service's
recovery, and a regular step waits cheaper.
"""
