"""Workers, from the user's own code and from installed packages, as the command line names them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_worker import IntegrationLike, Registry, Worker

__all__ = ["installed_for_all", "load_worker", "registry_wanted", "worker_wanted"]


def worker_wanted(app: str | None, use: Sequence[str] = (), queues: Sequence[str] = ()) -> Worker:
    """Return the worker that ``app`` names, with the installed integrations of the ids in ``use``.

    Without ``app`` it has these alone; without either, those of `installed_for_all`. ``queues``
    take the place of its own, where there are any.

    Raises:
        CommandError: one of them is not there, or cannot be used.

    """
    from hatchet_worker import Worker, WorkerError

    loaded = None if app is None else load_worker(app)
    try:
        if loaded is None:
            loaded = Worker(_made(use or installed_for_all()))
        else:
            loaded.extend(_made(use))
        loaded.extend(queues=queues or None)
    except WorkerError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return loaded


def registry_wanted(use: Sequence[str] = ()) -> Registry:
    """Return what a worker of the integrations in ``use`` alone can do, without making one.

    Without any it is what those of `installed_for_all` can do.

    Raises:
        CommandError: one of them is not there, or cannot be used.

    """
    from hatchet_worker import Registry, WorkerError

    try:
        return Registry(_made(use or installed_for_all()))
    except WorkerError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def installed_for_all() -> tuple[str, ...]:
    """Return the ids of the integrations that a worker has for which none is named.

    Whoever installs a package for its integrations wants them, but for those that come along with
    Hatchet.

    Raises:
        CommandError: there are none.

    """
    from hatchet_worker.installed import installed_integrations

    installed = installed_integrations()
    ids = tuple(each.id for each in installed if not each.ships_with_hatchet)
    if ids:
        return ids
    own = ", ".join(each.id for each in installed)
    come_along = f" (Hatchet itself has {own})" if own else ""
    raise CommandError(
        "which integrations? Name a worker, such as integrations:worker, or say --use ID"
        f"{come_along}; or install a package that has some",
        ExitCode.USAGE,
    )


def _made(use: Sequence[str]) -> list[IntegrationLike]:
    from hatchet_worker.installed import installed_integrations, used

    return [each.make() for each in used(use, installed_integrations())] if use else []


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
    if not colon or not module_name or module_name.startswith(".") or not attribute:
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
