"""`hatchet graph`: what starts what."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["graph"]


class GraphFormat(StrEnum):
    """How a graph is drawn."""

    TEXT = "text"
    MERMAID = "mermaid"


def graph(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders.", show_default=False)
    ] = None,
    form: Annotated[
        GraphFormat, typer.Option("--format", help="How to draw it; Mermaid is for documents.")
    ] = GraphFormat.TEXT,
) -> None:
    """Draw which events start which workflows, with their jobs and steps.

    Without PATHS it is .hatchet, or what HATCHET_WORKFLOWS says.
    """
    from hatchet_cli.definitions import load_or_fail
    from hatchet_cli.servers import read_settings

    settings = read_settings()
    definitions = load_or_fail(
        *(paths or [settings.workflows]), known_vars=frozenset(settings.vars)
    )
    if form is GraphFormat.MERMAID:
        from hatchet_cli.reports.mermaid import mermaid_lines as lines
    else:
        from hatchet_cli.reports.tree import tree_lines as lines
    for line in lines(definitions):
        typer.echo(line)
