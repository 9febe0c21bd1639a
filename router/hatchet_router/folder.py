"""Workflow files on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hatchet_schemas import Definition, Problem, SourceFile, load_definitions
from hatchet_schemas.yaml_source import MAX_FILE_BYTES

__all__ = ["MAX_FILES", "load_folder", "load_paths"]

MAX_FILES: Final = 20_000
"""How many workflow files one deployment may have."""

_SUFFIXES: Final = frozenset({".yaml", ".yml"})


def load_folder(folder: Path) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows below ``folder``, and all problems of all files."""
    return load_paths([folder])


def load_paths(paths: Iterable[Path]) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows in ``paths``, files or folders, and all problems of all files.

    Folders are searched to any depth for ``*.yaml`` and ``*.yml``, in the order of their names;
    hidden folders inside are passed over, and so are files that a link brings in from elsewhere.
    """
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    for path in paths:
        files, found = _files_of(path)
        problems += found
        for file in files:
            try:
                sources.append(_read(file))
            except OSError as error:
                problems.append(_problem(file, f"cannot be read: {error.strerror}", "unreadable"))
    if len(sources) > MAX_FILES:
        problems.append(
            _problem(Path(sources[MAX_FILES].path), f"more than {MAX_FILES} files", "too-large")
        )
        return (), tuple(problems)
    definitions, found_inside = load_definitions(sources)
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
    files = sorted(_workflow_files(path))
    if not files:
        return [], [_problem(path, "no workflow files (*.yaml, *.yml) in this folder", "not-found")]
    inside = path.resolve()
    kept: list[Path] = []
    problems: list[Problem] = []
    for file in files:
        if not file.resolve().is_relative_to(inside):
            problems.append(_problem(file, "is a link to outside of the folder", "unreadable"))
        elif not file.is_file():
            problems.append(_problem(file, "is not a regular file", "unreadable"))
        else:
            kept.append(file)
    return kept, problems


def _workflow_files(folder: Path) -> Iterable[Path]:
    # Kubernetes mounts a ConfigMap as links into a hidden folder, `..data`.
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(parent, name)
            if file.suffix in _SUFFIXES and not name.startswith("."):
                yield file


def _read(file: Path) -> SourceFile:
    with file.open("rb") as stream:
        # One byte more than allowed is enough to be told that it is too large.
        return SourceFile(str(file), stream.read(MAX_FILE_BYTES + 1))


def _problem(path: Path, message: str, rule: str) -> Problem:
    return Problem(str(path), 1, 1, message, rule)
