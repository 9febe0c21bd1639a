"""Workflow files on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from hatchet_router.listing import (
    TESTS_FOLDER,
    Listing,
    Stamp,
    file_problem,
    is_settled,
    list_files,
    unreadable,
)
from hatchet_schemas import Definition, Problem, SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.loader import CheckedFile, all_together, check_file
from hatchet_schemas.yaml_source import MAX_FILE_BYTES

__all__ = [
    "MAX_FILES",
    "TESTS_FOLDER",
    "FilesRead",
    "Loaded",
    "WorkflowFolder",
    "load_folder",
    "load_paths",
    "read_paths",
]

MAX_FILES: Final = 20_000
"""How many workflow files one deployment may have."""

_READS_AGAIN: Final = 5

Loaded = tuple[tuple[Definition, ...], tuple[Problem, ...]]
"""Workflows, and all problems of all files."""


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What stood on the disk: the files, and the problems of those that could not be read."""

    sources: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a file, and how to tell whether it is still the same.

    The ``stamp`` tells where there is one, else the file has to be read for its ``digest``.
    """

    stamp: Stamp | None
    digest: bytes
    checked: CheckedFile


@dataclass(frozen=True, slots=True)
class _State:
    """What stood on the disk: what came of each file, in order, and the problems of the others."""

    files: Mapping[str, _Kept]
    checked: tuple[CheckedFile, ...]
    problems: tuple[Problem, ...]


_NOTHING: Final = _State({}, (), ())


class WorkflowFolder:
    """A folder of workflow files that is loaded again and again; it remembers what came of each.

    The methods block. ``known_vars`` are those of `load_definitions`; ``clock`` returns nanoseconds
    since 1970.
    """

    def __init__(
        self,
        path: Path,
        *,
        known_vars: Collection[str] = frozenset(),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = path
        self._known_vars = known_vars
        self._clock = clock
        self._loaded: _State | None = None

    def load(self) -> Loaded:
        """Return the workflows, and all problems of all files; each of them is read and checked."""
        return self._together(self._read(_NOTHING))

    def load_if_changed(self) -> Loaded | None:
        """Return the same, None if all files are as they were when they were loaded last.

        Only files are read that may have changed, and only those checked that have.
        """
        before = self._loaded
        if before is None:
            return self.load()
        state = self._read(before)
        if state.checked == before.checked and state.problems == before.problems:
            self._loaded = state
            return None
        return self._together(state)

    def _together(self, state: _State) -> Loaded:
        definitions, problems = all_together(state.checked)
        self._loaded = state
        return definitions, (*state.problems, *problems)

    def _read(self, before: _State) -> _State:
        """Read until nothing changes meanwhile: half of a deployment's files are not to be used.

        What is returned stood on the disk at the moment when the last of the files that had to be
        read was looked at first. What was looked at later, and was as ``before``, was so at that
        moment, too. All else is looked at once more.
        """
        now, listing = self._clock(), list_files(self.path)
        state, read = self._followed(listing, now, before)
        certain = _later(listing, read) if _only_more(listing, read, before) else {}
        for _ in range(_READS_AGAIN):
            now, after = self._clock(), list_files(self.path, certain)
            if after == listing:
                break
            listing, certain = after, {}
            state, _ = self._followed(listing, now, state)
        return state

    def _followed(self, listing: Listing, now: int, before: _State) -> tuple[_State, set[str]]:
        """Return what there is by ``listing``, looked at ``now``, and which files had to be read.

        Of ``before`` it has what still holds.
        """
        stamps, kept = listing.stamps, before.files
        problems = list(listing.problems)
        read = [path for path, each in kept.items() if each.stamp != stamps.get(path, ())]
        # To sort them takes long, and mostly there are the same files as before.
        paths = list(kept)
        are_others = len(stamps) != len(kept) or not all(path in stamps for path in read)
        if are_others:
            paths = listing.files
            read = [path for path in paths if path not in kept or kept[path].stamp != stamps[path]]
        if _too_many(paths, problems):
            return _State({}, (), tuple(problems)), set()
        files = {**kept}
        for path in read:
            try:
                files[path] = self._kept(_read(path), stamps[path], now, kept.get(path))
            except OSError as error:
                problems.append(unreadable(path, error))
                files.pop(path, None)
        if are_others:
            files = {path: files[path] for path in paths if path in files}
        checked = tuple([each.checked for each in files.values()])
        return _State(files, checked, tuple(problems)), set(read)

    def _kept(self, source: SourceFile, stamp: Stamp, now: int, known: _Kept | None) -> _Kept:
        digest = hashlib.sha256(source.content).digest()
        if known is not None and known.digest == digest:
            checked = known.checked
        else:
            checked = check_file(source, self._known_vars)
        return _Kept(stamp if is_settled(stamp, now) else None, digest, checked)


def _only_more(listing: Listing, read: set[str], before: _State) -> bool:
    """Return whether nothing is gone since ``before``, and nothing was or is amiss.

    When something went nobody knows, but when a file came or changed shows in the ``listing``.
    """
    came = sum(path not in before.files for path in read)
    is_gone = len(listing.stamps) < len(before.files) + came
    return not (is_gone or before.problems or listing.problems)


def _later(listing: Listing, read: set[str]) -> dict[str, Stamp]:
    """Return what was looked at after the last file that had to be ``read``."""
    items = reversed(listing.stamps.items())
    return dict(takewhile(lambda item: item[0] not in read, items))


def load_folder(
    folder: Path,
    *,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> Loaded:
    """Return the workflows below ``folder``, and all problems of all files.

    The options are those of `load_definitions`.
    """
    return load_paths([folder], known_vars=known_vars, catalogue=catalogue)


def load_paths(
    paths: Iterable[Path],
    *,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> Loaded:
    """Return the workflows in ``paths``, files or folders, and all problems of all files.

    The options are those of `load_definitions`.
    """
    files = read_paths(paths)
    definitions, problems = load_definitions(
        files.sources, known_vars=known_vars, catalogue=catalogue
    )
    return definitions, (*files.problems, *problems)


def read_paths(paths: Iterable[Path]) -> FilesRead:
    """Return the workflow files in ``paths``, those that `list_files` finds, in that order."""
    problems: list[Problem] = []
    files: list[str] = []
    for path in paths:
        listing = list_files(path)
        files += listing.files
        problems += listing.problems
    if _too_many(files, problems):
        return FilesRead((), tuple(problems))
    sources: list[SourceFile] = []
    for file in files:
        try:
            sources.append(_read(file))
        except OSError as error:
            problems.append(unreadable(file, error))
    return FilesRead(tuple(sources), tuple(problems))


def _too_many(files: Sequence[str], problems: list[Problem]) -> bool:
    if len(files) <= MAX_FILES:
        return False
    problems.append(file_problem(files[MAX_FILES], f"more than {MAX_FILES} files", "too-large"))
    return True


def _read(file: str) -> SourceFile:
    with Path(file).open("rb") as stream:
        # One byte more than allowed is enough to be told that it is too large.
        return SourceFile(file, stream.read(MAX_FILE_BYTES + 1))
