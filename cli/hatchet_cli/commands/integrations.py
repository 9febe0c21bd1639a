"""`hatchet integrations`: what installed packages offer to workers."""

from __future__ import annotations

from typing import Annotated

import typer

from hatchet_cli.commands.check import Output
from hatchet_cli.exiting import CommandError, ExitCode

__all__ = ["integrations"]

integrations = typer.Typer(help="Show integrations, and make new ones.", no_args_is_help=True)

HowToPrint = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]


@integrations.command("list")
def list_integrations(output: HowToPrint = Output.TEXT) -> None:
    """List the integrations of installed packages: their actions, and what they need."""
    from hatchet_cli.reports.integrations import found, found_as_json, found_lines
    from hatchet_worker.installed import installed_integrations

    listed = [found(each) for each in installed_integrations()]
    if output is Output.JSON:
        typer.echo(found_as_json(listed))
        return
    if not listed:
        typer.echo("no installed package has integrations", err=True)
    for line in found_lines(listed):
        typer.echo(line)


@integrations.command("show")
def show(
    integration_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, such as slack.")],
    output: HowToPrint = Output.TEXT,
) -> None:
    """Tell what an integration's actions take, put out and promise."""
    from hatchet_cli.reports.integrations import found, found_as_data, reference_lines
    from hatchet_worker import WorkerError
    from hatchet_worker.installed import installed_integrations, used

    try:
        [named] = used([integration_id], installed_integrations())
    except WorkerError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    shown = found(named)
    if shown.reference is None:
        raise CommandError(str(shown.error), ExitCode.USAGE)
    if output is Output.JSON:
        import json

        typer.echo(json.dumps(found_as_data(shown, whole=True), indent=2, ensure_ascii=False))
        return
    for line in reference_lines(shown):
        typer.echo(line)


@integrations.command("new")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its id: small letters, digits and dashes.")
    ],
) -> None:
    """Write a package for a new integration into the folder NAME, with tests that pass."""
    from pathlib import Path

    from hatchet_cli.scaffold import problem_of_name, write_package

    if problem := problem_of_name(name):
        raise CommandError(f"{name!r} is no name for an integration: {problem}", ExitCode.USAGE)
    folder = Path(name)
    if folder.exists():
        raise CommandError(f"{name!r} exists: move it away, or take another name", ExitCode.USAGE)
    try:
        written = write_package(name, folder)
    except OSError as error:
        raise CommandError(
            f"cannot write {error.filename!r}: {error.strerror}", ExitCode.USAGE
        ) from error
    for file in written:
        typer.echo(str(file))
    typer.echo(f"\nNext: cd {name} && python -m pytest", err=True)
