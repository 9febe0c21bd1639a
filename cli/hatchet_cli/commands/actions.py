"""`hatchet actions`: what the workers can do, for people and for tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hatchet_cli.commands.check import Output
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.worker_options import OptionalApp, Use, use_wanted

__all__ = ["actions"]

actions = typer.Typer(help="Show what workers can do, and try it.", no_args_is_help=True)

Apps = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODULE:ATTR]...",
        help="Workers, or lists of integrations, in modules that can be imported from here.",
        show_default=False,
    ),
]


@actions.command("list")
def list_actions(
    apps: Apps = None,
    use: Use = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print the list.")
    ] = Output.TEXT,
) -> None:
    """List the actions that steps can name, and what each does."""
    from hatchet_cli.catalogues import catalogue_of

    listed = catalogue_of(apps or (), use_wanted(use)).actions
    if output is Output.JSON:
        import json

        entries = [
            {
                "actionId": action_id,
                "semantics": signature.semantics,
                "mode": signature.mode,
                "description": signature.description,
            }
            for action_id, signature in listed.items()
        ]
        typer.echo(json.dumps(entries, indent=2))
        return
    width = max(map(len, listed), default=0)
    for action_id, signature in listed.items():
        told = (signature.description or "").partition("\n")[0]
        declared = f"[{signature.declared}] " if signature.declared else ""
        typer.echo(f"{action_id:<{width}}  {declared}{told}".rstrip())


@actions.command("export")
def export(
    apps: Apps = None,
    use: Use = None,
    output_file: Annotated[
        Path | None, typer.Option(help="Write to this file instead of printing.")
    ] = None,
) -> None:
    """Print all that is known of the actions as JSON: what each takes and puts out."""
    from hatchet_cli.catalogues import catalogue_of

    text = catalogue_of(apps or (), use_wanted(use)).to_json()
    if output_file is None:
        typer.echo(text)
        return
    try:
        output_file.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"cannot write {str(output_file)!r}: {error.strerror}", ExitCode.USAGE
        ) from error


@actions.command("run")
def run(
    action: Annotated[str, typer.Argument(help="The action, such as slack:send-message.")],
    app: OptionalApp = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="ID",
            help="Add an integration of an installed package; may be given several times.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", "-d", help="Its `with`, a JSON object; @FILE or - to read it.")
    ] = "{}",
) -> None:
    """Perform one action here and now, once, and print its outputs as JSON, without secrets.

    Without MODULE:ATTR and --use, it is that of the installed integration that its id names. Exit 1
    if it fails, 2 if there is no such action or if it cannot take the data.
    """
    import json

    from hatchet_cli.commands.publish import parse_data
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.single_actions import perform

    configure_logs(level="ERROR")  # what went wrong is told below
    outputs = perform(action, parse_data(data), app, use or ())
    typer.echo(json.dumps(outputs, indent=2, ensure_ascii=False))
