"""Workflow files for commands that need them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_schemas import Definition, Problem

__all__ = ["counted", "load_or_fail", "show_problems"]


def load_or_fail(folder: Path) -> tuple[Definition, ...]:
    """Return the workflows below ``folder``; print every problem there is.

    Raises:
        CommandError: there are problems.

    """
    from hatchet_router.folder import load_folder

    definitions, problems = load_folder(folder)
    if problems:
        show_problems(problems, err=True)
        raise CommandError(
            f"{counted(len(problems), 'problem')} in the workflow files", ExitCode.FINDINGS
        )
    return definitions


def show_problems(problems: Iterable[Problem], *, err: bool = False) -> None:
    """Print problems with the lines they stand on."""
    for problem in problems:
        typer.echo(problem.with_caret(), err=err)


def counted(number: int, noun: str) -> str:
    """Return ``1 problem`` or ``2 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
