"""``python -m bench.peers``: Hatchet and its peers, alone and on servers of their own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bench.peers.roster import PEERS
from bench.peers.running import measured
from bench.peers.tables import line, table
from hatchet_cli.devstack import DevStack

__all__ = ["main"]


def peers(
    *,
    short: Annotated[
        bool, typer.Option("--short", help="Measure less, in about a minute.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="How many jobs are triggered at once.")
    ] = None,
    only: Annotated[str, typer.Option(help="Only peers whose name holds this.")] = "",
) -> None:
    """Run the same job with Hatchet and with its peers, and print a table."""
    chosen = [peer for peer in PEERS if only.lower() in peer.name.lower()]
    if not chosen:
        raise typer.BadParameter(f"no peer is called {only!r}", param_hint="--only")
    with DevStack(headless=True) as stack:
        results = asyncio.run(
            measured(
                stack,
                short=short,
                jobs=jobs,
                peers=chosen,
                tell=lambda result: typer.echo(line(result), err=True),
            )
        )
    typer.echo(table(results))
    raise typer.Exit(any(result.problem for result in results))


def main() -> None:
    """Run the command."""
    typer.run(peers)
