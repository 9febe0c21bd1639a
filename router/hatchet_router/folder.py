"""Workflow files on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hatchet_schemas import Definition, Problem, SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
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
    "stamps",
]

MAX_FILES: Final = 20_000
"""How many workflow files one deployment may have."""

TESTS_FOLDER: Final = "tests"
"""The folder beside the workflow files that holds no workflows, but the cases of `hatchet test`."""

_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_READS_AGAIN: Final = 5

Loaded = tuple[tuple[Definition, ...], tuple[Problem, ...]]
"""Workflows, and all problems of all files."""

Stamps = frozenset[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What stood on the disk: the files, and the problems of those that could not be read."""

    sources: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]

    def digest(self) -> bytes:
        """Return what is the same for the same files with the same content, and for no others."""
        digest = hashlib.sha256()
        for source in self.sources:
            digest.update(f"{source.path!r} {len(source.content)}\n".encode())
            digest.update(source.content)
        digest.update(repr(self.problems).encode())
        return digest.digest()


class WorkflowFolder:
    """A folder of workflow files that is loaded again and again; it remembers what it has read.

    The methods block. ``known_vars`` are those of `load_definitions`.
    """

    def __init__(self, path: Path, *, known_vars: Collection[str] = frozenset()) -> None:
        self.path = path
        self._known_vars = known_vars
        self._digest: bytes | None = None

    def load(self) -> Loaded:
        """Return the workflows, and all problems of all files."""
        files = self._read()
        return self._load(files, files.digest())

    def load_if_changed(self) -> Loaded | None:
        """Return the same, None if all files are as they were when they were loaded last."""
        files = self._read()
        digest = files.digest()
        return None if digest == self._digest else self._load(files, digest)

    def _read(self) -> FilesRead:
        return _read_unchanging(lambda: read_paths([self.path]), lambda: stamps(self.path))

    def _load(self, files: FilesRead, digest: bytes) -> Loaded:
        definitions, problems = load_definitions(files.sources, known_vars=self._known_vars)
        self._digest = digest
        return definitions, (*files.problems, *problems)


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
    """Return the workflow files in ``paths``, files or folders.

    Folders are searched to any depth for ``*.yaml`` and ``*.yml``, in the order of their names.
    Passed over are hidden folders inside, files that a link brings in from elsewhere, and what is
    in the folder `TESTS_FOLDER` directly below.
    """
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found, amiss = _files_of(path)
        except OSError as error:
            found, amiss = [], [_unreadable(path, error)]
        files += found
        problems += amiss
    if len(files) > MAX_FILES:
        problems.append(_problem(files[MAX_FILES], f"more than {MAX_FILES} files", "too-large"))
        return FilesRead((), tuple(problems))
    sources: list[SourceFile] = []
    for file in files:
        try:
            sources.append(_read(file))
        except OSError as error:
            problems.append(_unreadable(file, error))
    return FilesRead(tuple(sources), tuple(problems))


def stamps(path: Path) -> Stamps:
    """Return what differs after a change below ``path``, as far as that shows without reading.

    It is the size, the times and the identity of each file, or why they cannot be told.
    """
    problems: list[Problem] = []
    found: set[tuple[str, tuple[int, ...]]] = set()
    for file in [path] if path.is_file() else _workflow_files(path, problems):
        try:
            status = file.stat()
        except OSError as error:
            found.add((str(file), (error.errno or 0,)))
        else:
            times = (status.st_mtime_ns, status.st_ctime_ns)
            found.add((str(file), (status.st_dev, status.st_ino, status.st_size, *times)))
    return frozenset(found | {(str(problem), ()) for problem in problems})


def _read_unchanging(read: Callable[[], FilesRead], stamps_now: Callable[[], Stamps]) -> FilesRead:
    """Read until nothing changes meanwhile: half of a deployment's files are not to be used."""
    before, files = stamps_now(), read()
    for _ in range(_READS_AGAIN):
        after = stamps_now()
        if after == before:
            break
        before, files = after, read()
    return files


def _files_of(path: Path) -> tuple[list[Path], list[Problem]]:
    if path.is_file():
        return [path], []
    if not path.is_dir():
        hint = (
            "make it, or name another, here or as HATCHET_WORKFLOWS"
            if path.suffix not in _SUFFIXES
            else "check the path"
        )
        return [], [_problem(path, f"there is no such file or folder: {hint}", "not-found")]
    problems: list[Problem] = []
    files = sorted(_workflow_files(path, problems))
    if not files and not problems:
        return [], [_problem(path, "no workflow files (*.yaml, *.yml) in this folder", "not-found")]
    inside = path.resolve()
    kept: list[Path] = []
    for file in files:
        # Nothing above it inside is a link, as none is followed there.
        if file.is_symlink() and not _resolved(file).is_relative_to(inside):
            problems.append(_problem(file, "is a link to outside of the folder", "unreadable"))
        elif not file.is_file():
            problems.append(_problem(file, "is not a regular file", "unreadable"))
        else:
            kept.append(file)
    return kept, problems


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except RuntimeError:  # a link to itself, before Python 3.13
        return file.parent.resolve() / file.name


def _workflow_files(folder: Path, problems: list[Problem]) -> Iterable[Path]:
    def report(error: OSError) -> None:
        problems.append(_unreadable(Path(error.filename), error))

    # Kubernetes mounts a ConfigMap as links into a hidden folder, `..data`.
    for parent, folders, names in os.walk(folder, onerror=report):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if Path(parent) == folder and TESTS_FOLDER in folders:
            folders.remove(TESTS_FOLDER)
        for name in names:
            file = Path(parent, name)
            if file.suffix in _SUFFIXES and not name.startswith("."):
                yield file


def _read(file: Path) -> SourceFile:
    with file.open("rb") as stream:
        # One byte more than allowed is enough to be told that it is too large.
        return SourceFile(str(file), stream.read(MAX_FILE_BYTES + 1))


def _unreadable(path: Path, error: OSError) -> Problem:
    return _problem(path, f"cannot be read: {error.strerror}", "unreadable")


def _problem(path: Path, message: str, rule: str) -> Problem:
    return Problem(str(path), 1, 1, message, rule)
