"""The SDKs of the prebuilt integrations: optional, and loaded by the integration that is made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hatchet_worker.errors import WorkerError

__all__ = ["MissingExtra", "extra"]


class MissingExtra(WorkerError, ImportError):
    """A prebuilt integration needs a package that is not installed."""


@contextmanager
def extra(name: str) -> Generator[None]:
    """Let the imports inside the ``with`` block say which extra of this distribution has them.

    They stand in the constructor of an integration: a worker without the package fails when it
    starts, while the module, with its models and docstrings, can be read without it.

    Raises:
        MissingExtra: a module is not there; the message says how to install it.

    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"integration {name} needs the package of {error.name!r}, which is not installed: "
            f"pip install 'hatchet-workflows[{name}]'"
        ) from error
