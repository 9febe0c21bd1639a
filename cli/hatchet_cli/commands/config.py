"""`hatchet config`: what the settings are, and who says so."""

from __future__ import annotations

from typing import Annotated

import typer

from hatchet_cli.commands.check import Output

__all__ = ["config"]

config = typer.Typer(help="Show the settings.", no_args_is_help=True)


@config.callback()
def _config() -> None:
    """Show the settings."""


@config.command("show")
def show(
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="Tell where each value stands.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TEXT,
) -> None:
    """Print each setting as a process started here would have it, without secrets.

    Exit 2 if a value cannot be used.
    """
    from hatchet_cli.reports.settings import as_json, as_text
    from hatchet_cli.servers import read_settings, read_temporal_settings
    from hatchet_cli.settings.environment import read_model, unknown_variables
    from hatchet_cli.settings.models import DoctorSettings, LogSettings
    from hatchet_cli.settings.report import setting_report
    from hatchet_worker.settings import WorkerSettings

    rows = setting_report()
    typer.echo(as_json(rows) if output is Output.JSON else as_text(rows, show_origin=show_origin))
    for said in unknown_variables():
        typer.echo(f"hatchet: {said}", err=True)
    read_settings()
    read_model(WorkerSettings)
    read_model(LogSettings)
    read_model(DoctorSettings)
    read_temporal_settings()
