"""`hatchet check`: whether the workflow files are right."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hatchet_cli.definitions import counted, show_problems
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.reports.printable import colors_wanted
from hatchet_cli.starting import nothing_collected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatchet_schemas import Definition, Problem
    from hatchet_schemas.catalogue import Catalogue

__all__ = ["Output", "check"]

_STDIN = Path("-")


class Output(StrEnum):
    """How a list is printed."""

    TEXT = "text"
    JSON = "json"


class ProblemOutput(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Color(StrEnum):
    """When the output has colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders; - to read one file from stdin.", show_default=False),
    ] = None,
    output: Annotated[
        ProblemOutput, typer.Option("--output", "-o", help="How to print the problems.")
    ] = ProblemOutput.TEXT,
    apps: Annotated[
        list[str] | None,
        typer.Option(
            "--app", metavar="MODULE:ATTR", help="Check the steps against this worker's actions."
        ),
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use", metavar="ID", help="Check them against this installed integration, too."
        ),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="Check them against those that `hatchet actions export` wrote.", metavar="FILE"
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings, too.")] = False,
    color: Annotated[Color, typer.Option(help="When to use colours.")] = Color.AUTO,
    stdin_filename: Annotated[
        str, typer.Option(help="What to call the file from stdin.")
    ] = "<stdin>",
) -> None:
    """Check workflow files, without any server; exit 1 if there are errors.

    Without PATHS it is .hatchet, or what HATCHET_WORKFLOWS says.
    """
    catalogue = _catalogue(apps or [], use or [], actions)
    with nothing_collected():
        definitions, problems = _load(paths or [], catalogue, stdin_filename)
    _print(problems, output, color)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    typer.echo(_summary(len(definitions), errors, warnings), err=True)
    if errors or (strict and warnings):
        raise typer.Exit(ExitCode.FINDINGS)


def _catalogue(apps: Sequence[str], use: Sequence[str], file: Path | None) -> Catalogue | None:
    from hatchet_cli.catalogues import catalogue_in, catalogue_of

    if (apps or use) and file is not None:
        raise CommandError("give either --app and --use, or --actions", ExitCode.USAGE)
    if file is not None:
        return catalogue_in(file)
    return catalogue_of(apps, use) if apps or use else None


def _load(
    paths: Sequence[Path], catalogue: Catalogue | None, stdin_filename: str
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    from hatchet_cli.servers import read_settings
    from hatchet_router.folder import load_paths
    from hatchet_schemas import SourceFile, load_definitions
    from hatchet_schemas.yaml_source import MAX_FILE_BYTES

    settings = read_settings()
    known_vars = frozenset(settings.vars)
    if _STDIN not in paths:
        return load_paths(paths or [settings.workflows], known_vars=known_vars, catalogue=catalogue)
    if len(paths) > 1:
        raise CommandError("- stands alone: stdin is one file", ExitCode.USAGE)
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    return load_definitions(
        [SourceFile(stdin_filename, content)], known_vars=known_vars, catalogue=catalogue
    )


def _print(problems: Sequence[Problem], output: ProblemOutput, color: Color) -> None:
    from hatchet_cli.reports.problems import problems_as_github, problems_as_json

    match output:
        case ProblemOutput.TEXT:
            show_problems(problems, color=_wants_color(color))
        case ProblemOutput.JSON:
            typer.echo(problems_as_json(problems))
        case ProblemOutput.GITHUB:
            for command in problems_as_github(problems):
                typer.echo(command)
        case ProblemOutput.SARIF:
            from hatchet_cli.reports.sarif import problems_as_sarif

            typer.echo(problems_as_sarif(problems, *_about()))


def _wants_color(color: Color) -> bool:
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    return colors_wanted(sys.stdout)


def _about() -> tuple[str, str | None]:
    """Return our version, and where our rules are explained, as far as the package knows."""
    from importlib.metadata import metadata

    package = metadata("hatchet-workflows")
    urls = dict(url.split(", ", 1) for url in package.get_all("Project-URL") or [])
    documents = urls.get("Documentation")
    return package["Version"], documents and f"{documents.rstrip('/')}/rules.md"


def _summary(workflows: int, errors: int, warnings: int) -> str:
    found = [counted(errors, "error")] if errors else [counted(workflows, "workflow")]
    if warnings:
        found.append(counted(warnings, "warning"))
    return ", ".join(found if errors or warnings else [*found, "no problems"])
