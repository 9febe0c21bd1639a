"""What a process that runs for long does not need while it starts."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load_structlog_alone", "nothing_collected"]


@contextmanager
def nothing_collected() -> Generator[None]:
    """Leave what is made in the block to reference counts alone, also afterwards.

    What a process loads at its start stays, and the garbage collector would go through it again and
    again, which is a third of the time that workflow files take. They hold no cycles: a workflow
    that is replaced later is freed all the same.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_structlog_alone() -> None:
    """Import structlog without rich, for a process that runs no code but ours.

    It loads rich where it can, for tracebacks with the values of variables. Ours never show them,
    since they may be secrets.
    """
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    # What is None there cannot be imported (Python's reference, the module cache).
    sys.modules["rich"] = cast("ModuleType", None)
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
