"""`hatchet explain`: what an event would start, and why not the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hatchet_cli.commands.check import Output

if TYPE_CHECKING:
    from hatchet_router.explaining import Explanation
    from hatchet_schemas import Event

__all__ = ["explain"]

_ANY_ID = "EVENT-ID"
"""Stands for the id of an event that is given none; the router would make one."""


def explain(
    key: Annotated[str, typer.Argument(help="The event key, such as user:create.")],
    data: Annotated[
        str,
        typer.Option(
            "--data", "-d", help="The event's JSON object; @FILE or - (stdin) to read it."
        ),
    ] = "{}",
    event_id: Annotated[
        str | None, typer.Option("--id", help="The event's id, which is in its jobs' ids.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every workflow that does not match.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TEXT,
) -> None:
    """Tell what an event would start and why, and why not the rest; no server is asked.

    Exit 4 if nothing would start, 1 if a condition or a template fails on this event.
    """
    from hatchet_cli.commands.publish import parse_data
    from hatchet_cli.definitions import load_or_fail
    from hatchet_cli.reports.explanation import explanation_json, explanation_lines
    from hatchet_cli.servers import read_settings
    from hatchet_router.explaining import explain as explanation_of

    settings = read_settings(workflows=folder)
    definitions = load_or_fail(settings.workflows, known_vars=frozenset(settings.vars))
    event = _event(key, parse_data(data), event_id or _ANY_ID, settings.max_body_bytes)
    explanation = explanation_of(event, definitions, settings.vars)
    if output is Output.JSON:
        typer.echo(explanation_json(explanation))
    else:
        for line in explanation_lines(explanation, everything=everything):
            typer.echo(line)
    raise typer.Exit(_code(explanation))


def _event(key: str, data: dict[str, Any], event_id: str, max_body_bytes: int) -> Event:
    """Return what the router would make of such a message."""
    import json

    from hatchet_cli.exiting import CommandError, ExitCode
    from hatchet_router.decoding import decode
    from hatchet_router.deliveries import Delivery, Rejection
    from hatchet_schemas.patterns import is_pattern

    if not key or is_pattern(key):
        raise CommandError(
            f"{key!r} is no event key; an event has one key, without * and #", ExitCode.USAGE
        )
    body = json.dumps(data, separators=(",", ":")).encode()
    decoded = decode(Delivery(body, key, message_id=event_id), max_body_bytes=max_body_bytes)
    if isinstance(decoded, Rejection):
        raise CommandError(
            f"such an event goes to the dead letters, {decoded.kind}: {decoded.message}",
            ExitCode.FINDINGS,
        )
    return decoded


def _code(explanation: Explanation) -> int:
    from hatchet_cli.exiting import ExitCode

    if any(item.goes_wrong for item in explanation.workflows):
        return ExitCode.FINDINGS
    if any(item.state == "starts" for item in explanation.workflows):
        return ExitCode.SUCCESS
    return ExitCode.NOTHING_MATCHED
