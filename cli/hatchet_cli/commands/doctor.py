"""`hatchet doctor`: what is there, what is missing, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hatchet_cli.commands.check import Output

__all__ = ["doctor"]


def doctor(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TEXT,
) -> None:
    """Look at the servers, the workflow files and this machine.

    Exit 3 if a server is unreachable, 1 if something else is wrong.
    """
    import asyncio

    from hatchet_cli.diagnosis import diagnose
    from hatchet_cli.exiting import ExitCode
    from hatchet_cli.findings import summary
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.servers import read_settings, read_temporal_settings
    from hatchet_cli.settings.environment import read_model
    from hatchet_cli.settings.models import DoctorSettings

    configure_logs()
    settings, temporal = read_settings(workflows=folder), read_temporal_settings()
    findings = asyncio.run(diagnose(settings, temporal, read_model(DoctorSettings).management_url))
    if output is Output.JSON:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            typer.echo(f"{finding.state:<7} {finding.subject:<{width}}  {finding.detail}")
            if finding.mend:
                typer.echo(f"{'':<7} {'':<{width}}  {finding.mend}")
        typer.echo(summary(findings))
    if any(finding.unreachable for finding in findings):
        raise typer.Exit(ExitCode.UNREACHABLE)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ExitCode.FINDINGS)
