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
