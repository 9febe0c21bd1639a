"""Which workflow files there are, and what shows of their changes without reading them."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from types import MappingProxyType
from typing import Final

from hatchet_schemas import Problem

__all__ = [
    "TESTS_FOLDER",
    "Listing",
    "Stamp",
    "file_problem",
    "is_settled",
    "list_files",
    "unreadable",
]

TESTS_FOLDER: Final = "tests"
"""The folder beside the workflow files that holds no workflows, but the cases of `hatchet test`."""

Stamp = tuple[int, ...]
"""The identity, size and times of a file: what differs after a change."""

_SUFFIXES: Final = (".yaml", ".yml")
_STAMP: Final = attrgetter("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
_NO_STAMPS: Final[Mapping[str, Stamp]] = MappingProxyType({})
_NOTHING_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
# The coarsest times that a common file system has, FAT's, are two seconds apart.
_SETTLED_NANOSECONDS: Final = 3_000_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that can be read, in the order they were looked at, with stamps; what is amiss.

    Two of one place are equal if nothing has changed in between, as far as that shows.
    """

    stamps: dict[str, Stamp]
    problems: tuple[Problem, ...]

    @property
    def files(self) -> list[str]:
        """The files in the order of their names, folder by folder."""
        return sorted(self.stamps, key=_in_folders)


def is_settled(stamp: Stamp, now_ns: int) -> bool:
    """Return whether what changes from ``now_ns`` on, since 1970, changes the stamp as well.

    A file that is written twice within one tick of its file system's clock has the same times
    after both. So what was read from a file that was young has to be read again, as Git does with
    entries of its index that are "racily clean". How young it was is told by this machine's clock:
    that of a network mount may be behind by less than three seconds.
    """
    *_, modified, changed = stamp
    return max(modified, changed) < now_ns - _SETTLED_NANOSECONDS


def list_files(path: Path, known: Mapping[str, Stamp] = _NO_STAMPS) -> Listing:
    """Return the workflow files at ``path``, a file or a folder.

    A folder is searched to any depth for ``*.yaml`` and ``*.yml``. Passed over are hidden folders
    inside, files that a link brings in from elsewhere, and what is in the folder `TESTS_FOLDER`
    directly below. Files below it that are still there and ``known`` have the stamps of there:
    they are not looked at, which is most of what a file costs.
    """
    try:
        if path.is_file():
            return Listing({str(path): _STAMP(path.stat())}, ())
        if not path.is_dir():
            return Listing({}, (_not_found(path),))
        look = _Look(path, known)
    except OSError as error:
        return Listing({}, (unreadable(path, error),))
    if not look.stamps and not look.problems:
        message = "no workflow files (*.yaml, *.yml) in this folder"
        return Listing({}, (file_problem(path, message, "not-found"),))
    problems = sorted(look.problems, key=lambda problem: _in_folders(problem.path))
    return Listing(look.stamps, tuple(problems))


class _Look:
    """A walk through a folder. There can be ten thousands of files, so it spends little on each."""

    def __init__(self, folder: Path, known: Mapping[str, Stamp]) -> None:
        self.stamps: dict[str, Stamp] = {}
        self.problems: list[Problem] = []
        self._known = known
        self._inside = folder.resolve()
        self._folders = [str(folder)]
        self._into(self._folders.pop(), frozenset({TESTS_FOLDER}))
        while self._folders:
            self._into(self._folders.pop())

    def _into(self, folder: str, passed_over: frozenset[str] = frozenset()) -> None:
        before = "" if folder == "." else os.path.join(folder, "")  # noqa: PTH118 - it is quicker
        known = self._known
        try:
            # By its number, the way to the folder is not gone anew for each file.
            number = os.open(folder, os.O_RDONLY)
            try:
                with os.scandir(number) as entries:
                    for entry in entries:
                        name = entry.name
                        # Kubernetes mounts a ConfigMap as links into a hidden folder, `..data`.
                        if name.startswith("."):
                            continue
                        if name.endswith(_SUFFIXES):
                            path = before + name
                            if path in known:
                                self.stamps[path] = known[path]
                                continue
                            if self._take(path, entry):
                                continue
                        if entry.is_dir(follow_symlinks=False) and name not in passed_over:
                            self._folders.append(before + name)
            finally:
                os.close(number)
        except OSError as error:
            self.problems.append(unreadable(folder, error))

    def _take(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Take up what is named like a workflow file; return False if it is a folder."""
        try:
            status = entry.stat()
        except OSError as error:
            if error.errno == errno.ENOENT and not entry.is_symlink():
                return True  # it went after it was listed
            if self._is_inside(path, entry):
                self.problems.append(
                    _irregular(path) if error.errno in _NOTHING_THERE else unreadable(path, error)
                )
            return True
        is_regular = S_ISREG(status.st_mode)
        if is_regular and not entry.is_symlink():
            self.stamps[path] = _STAMP(status)
            return True
        if S_ISDIR(status.st_mode):
            return False
        if self._is_inside(path, entry):
            if is_regular:
                self.stamps[path] = _STAMP(status)
            else:
                self.problems.append(_irregular(path))
        return True

    def _is_inside(self, path: str, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink() or _resolved(Path(path)).is_relative_to(self._inside):
            return True
        self.problems.append(file_problem(path, "is a link to outside of the folder", "unreadable"))
        return False


def _in_folders(path: str) -> str:
    return path.replace(os.sep, "\0")  # which no name holds, and which is less than all others


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except RuntimeError:  # a link to itself, before Python 3.13
        return file.parent.resolve() / file.name


def _irregular(path: str) -> Problem:
    return file_problem(path, "is not a regular file", "unreadable")


def _not_found(path: Path) -> Problem:
    hint = (
        "make it, or name another, here or as HATCHET_WORKFLOWS"
        if path.suffix not in _SUFFIXES
        else "check the path"
    )
    return file_problem(path, f"there is no such file or folder: {hint}", "not-found")


def unreadable(path: Path | str, error: OSError) -> Problem:
    """Return the problem that what is at ``path`` cannot be read."""
    return file_problem(path, f"cannot be read: {error.strerror}", "unreadable")


def file_problem(path: Path | str, message: str, rule: str) -> Problem:
    """Return a problem with a file as a whole, or with a folder."""
    return Problem(str(path), 1, 1, message, rule)
