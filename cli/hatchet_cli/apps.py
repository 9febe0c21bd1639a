"""The user's own code, named on the command line."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_worker import Worker

__all__ = ["load_worker"]


def load_worker(app: str) -> Worker:
    """Return the worker that ``app``, ``module:attribute``, names.

    The attribute is a `Worker`, one integration, or a list of them; the last two are made into a
    worker for the default queue. Modules are looked for in the working directory first, as
    ``python -m`` does.

    Raises:
        CommandError: there is no such module or attribute, or it is something else.

    """
    from hatchet_worker import Worker, WorkerError

    found = _attribute(app)
    if isinstance(found, Worker):
        return found
    try:
        return Worker(found if isinstance(found, (list, tuple)) else [found])
    except WorkerError as error:
        raise CommandError(
            f"{app!r} is neither a Worker nor a list of integrations: {error}", ExitCode.USAGE
        ) from error


def _attribute(app: str) -> Any:
    module_name, colon, attribute = app.partition(":")
    if not colon or not module_name or not attribute:
        raise CommandError(
            f"{app!r} names no worker: expected MODULE:ATTR, such as integrations:worker",
            ExitCode.USAGE,
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # something that the module itself imports: its traceback says what
        raise CommandError(
            f"there is no module {module_name!r} that can be imported from {here}", ExitCode.USAGE
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise CommandError(
            f"module {module_name!r} has no attribute {attribute!r}", ExitCode.USAGE
        ) from error
