"""`hatchet check`: whether the workflow files are right."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hatchet_cli.definitions import counted, show_problems
from hatchet_cli.exiting import ExitCode

__all__ = ["Output", "check"]


class Output(StrEnum):
    """How a list is printed."""

    TEXT = "text"
    JSON = "json"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders.", show_default=".hatchet"),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print the problems.")
    ] = Output.TEXT,
) -> None:
    """Check workflow files, without any server; exit 1 if there are problems."""
    from hatchet_router.folder import load_paths
    from hatchet_schemas.names import WORKFLOWS_FOLDER

    definitions, problems = load_paths(paths or [Path(WORKFLOWS_FOLDER)])
    if output is Output.JSON:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(problem) for problem in problems], indent=2))
    elif problems:
        show_problems(problems)
    else:
        typer.echo(f"{counted(len(definitions), 'workflow')}, no problems", err=True)
    if problems:
        typer.echo(f"{counted(len(problems), 'problem')}", err=True)
        raise typer.Exit(ExitCode.FINDINGS)
