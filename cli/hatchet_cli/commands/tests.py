"""`hatchet test`: whether events do what the cases beside the workflow files say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hatchet_cli.commands.check import Output
from hatchet_cli.definitions import counted, load_or_fail, show_problems
from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatchet_cli.cases.running import CaseResult

__all__ = ["run_tests"]


def run_tests(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files or folders of cases.", show_default="the folder tests beside the workflows"
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The folder of workflow files.", show_default=".hatchet"),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TEXT,
) -> None:
    """Run the cases beside the workflow files, without any server; exit 1 if one fails.

    All actions are stand-ins. A case says which event happens, what the actions then do, and what
    is expected to come of it.
    """
    import asyncio

    from hatchet_cli.cases.reading import read_cases
    from hatchet_cli.cases.running import run_case
    from hatchet_cli.logs import configure_logs
    from hatchet_cli.servers import read_settings
    from hatchet_router.folder import TESTS_FOLDER, read_paths
    from hatchet_router.routing import RoutingTable

    configure_logs(level="CRITICAL")
    settings = read_settings(workflows=folder)
    definitions = load_or_fail(settings.workflows, known_vars=frozenset(settings.vars))
    files = read_paths(paths or [settings.workflows / TESTS_FOLDER])
    if not files.sources and not paths:
        raise CommandError(
            f"there are no cases: write some into {settings.workflows / TESTS_FOLDER}/*.yaml",
            ExitCode.USAGE,
        )
    cases, problems = read_cases(files.sources, definitions)
    problems = (*files.problems, *problems)
    if problems:
        show_problems(problems, err=True)
        raise CommandError(f"{counted(len(problems), 'error')} in the tests", ExitCode.FINDINGS)
    table = RoutingTable(definitions)

    async def run_all() -> list[CaseResult]:
        limit = settings.max_body_bytes
        return [await run_case(each, table, settings.vars, max_body_bytes=limit) for each in cases]

    results = asyncio.run(run_all())
    _print(results, output)
    if any(result.differences for result in results):
        raise typer.Exit(ExitCode.FINDINGS)


def _print(results: Sequence[CaseResult], output: Output) -> None:
    from hatchet_cli.reports.cases import case_lines, cases_as_json

    if output is Output.JSON:
        typer.echo(cases_as_json(results))
        return
    for result in results:
        for line in case_lines(result):
            typer.echo(line)
    failed = sum(bool(result.differences) for result in results)
    typer.echo(f"{counted(len(results), 'case')}, {failed or 'none'} failed", err=True)
