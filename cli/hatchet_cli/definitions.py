"""Workflow files for commands that need them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_router.folder import Loaded
    from hatchet_schemas import Definition, Problem

__all__ = ["counted", "load_or_fail", "show_problems", "without_errors"]


def load_or_fail(*paths: Path, known_vars: frozenset[str] = frozenset()) -> tuple[Definition, ...]:
    """Return the workflows in ``paths``; print every problem there is, warnings too.

    ``known_vars`` are the names of those vars that are not in the files.

    Raises:
        CommandError: there are errors.

    """
    from hatchet_router.folder import load_paths

    return without_errors(load_paths(paths, known_vars=known_vars))


def without_errors(loaded: Loaded) -> tuple[Definition, ...]:
    """Return the workflows of what was loaded; print every problem there is, warnings too.

    Raises:
        CommandError: there are errors.

    """
    definitions, problems = loaded
    show_problems(problems, err=True)
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        raise CommandError(f"{counted(errors, 'error')} in the workflow files", ExitCode.FINDINGS)
    return definitions


def show_problems(
    problems: Iterable[Problem], *, err: bool = False, color: bool | None = None
) -> None:
    """Print problems with the lines they stand on; in colour where that is wanted."""
    from hatchet_cli.reports.problems import problem_text

    for problem in problems:
        typer.echo(problem_text(problem, color=bool(color)), err=err, color=color)


def counted(number: int, noun: str) -> str:
    """Return ``1 problem`` or ``2 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
