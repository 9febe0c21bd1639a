"""Noticing that workflow files have changed on disk.

The operating system tells at once (watchfiles), but not always: nothing of a network mount, of a
folder that another one has replaced, or past the limit on watches. So the files' stamps are looked
at every two seconds as well. Either is a hint; whoever gets it reads the files and decides.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change, awatch

from hatchet_router.background import in_background
from hatchet_router.listing import list_files

__all__ = ["watch"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_LOOK_SECONDS: Final = 2.0
# A change is told once there was none for so long, or when the first one is a second old.
_QUIET_MILLISECONDS: Final = 100
_LONGEST_MILLISECONDS: Final = 1000


async def watch(path: Path, changed: Callable[[], None]) -> None:
    """Call ``changed`` at once and after every change of workflow files at ``path``.

    It goes on until it is cancelled, also while there is nothing at ``path``.
    """
    seen = None
    told = ""
    while True:
        try:
            async with aclosing(_hints(path)) as hints:
                async for told_by_system in hints:
                    found = await in_background(lambda: list_files(path))
                    if told_by_system or found != seen:
                        changed()
                    seen = found
            continue
        except FileNotFoundError:
            pass  # which is for those to tell who read the files
        except Exception as error:  # noqa: BLE001 - the limit on watches, or a fault of somebody's
            if str(error) != told:
                told = str(error)
                hint = f"changes are noticed within {_LOOK_SECONDS:g} s all the same"
                _log.warning("router.not_watching", path=str(path), reason=told, hint=hint)
        await asyncio.sleep(_LOOK_SECONDS)


async def _hints(path: Path) -> AsyncGenerator[bool]:
    """Yield True when the system tells of a change, and False at first and from time to time.

    It ends when something else has taken the place of what is watched.
    """
    yield False
    watched = await in_background(lambda: _place(path))
    changes_made = awatch(
        watched.folder,
        watch_filter=None,
        debounce=_LONGEST_MILLISECONDS,
        step=_QUIET_MILLISECONDS,
        rust_timeout=round(_LOOK_SECONDS * 1000),
        yield_on_timeout=True,
        recursive=watched.whole,
        ignore_permission_denied=True,
    )
    async with aclosing(changes_made) as all_changes:
        async for changes in all_changes:
            yield bool(changes)
            # A folder that is made anew can get the number of the one that was deleted.
            deleted = (Change.deleted, watched.folder) in changes
            if deleted or await in_background(lambda: _place(path)) != watched:
                return


@dataclass(frozen=True, slots=True)
class _Place:
    """The real folder to watch, whether with all inside, and the numbers that tell it from others.

    Where there is none the numbers are zero.
    """

    folder: str
    whole: bool
    device: int = 0
    inode: int = 0


def _place(path: Path) -> _Place:
    # An editor replaces a single file by another, so it is the folder that is watched.
    whole = not path.is_file()
    real = os.path.realpath(path if whole else path.parent)
    try:
        status = Path(real).stat()
    except OSError:
        return _Place(real, whole)
    return _Place(real, whole, status.st_dev, status.st_ino)
