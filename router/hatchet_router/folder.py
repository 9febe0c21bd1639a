"""Workflow files on disk."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from hatchet_schemas import Definition, Problem, SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.yaml_source import MAX_FILE_BYTES

__all__ = ["MAX_FILES", "load_folder", "load_paths"]

MAX_FILES: Final = 20_000
"""How many workflow files one deployment may have."""

_SUFFIXES: Final = frozenset({".yaml", ".yml"})


def load_folder(
    folder: Path,
    *,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows below ``folder``, and all problems of all files.

    The options are those of `load_definitions`.
    """
    return load_paths([folder], known_vars=known_vars, catalogue=catalogue)


def load_paths(
    paths: Iterable[Path],
    *,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows in ``paths``, files or folders, and all problems of all files.

    Folders are searched to any depth for ``*.yaml`` and ``*.yml``, in the order of their names;
    hidden folders inside are passed over, and so are files that a link brings in from elsewhere.
    The options are those of `load_definitions`.
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
        return (), tuple(problems)
    sources: list[SourceFile] = []
    for file in files:
        try:
            sources.append(_read(file))
        except OSError as error:
            problems.append(_unreadable(file, error))
    definitions, found_inside = load_definitions(
        sources, known_vars=known_vars, catalogue=catalogue
    )
    return definitions, (*problems, *found_inside)


def _files_of(path: Path) -> tuple[list[Path], list[Problem]]:
    if path.is_file():
        return [path], []
    if not path.is_dir():
        hint = (
            "make it, or name another with --dir or HATCHET_WORKFLOWS"
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
        if not _resolved(file).is_relative_to(inside):
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
