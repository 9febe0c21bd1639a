"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.machines import machine, pin, versions
from bench.records import record
from bench.runs import run_suites
from bench.suites import SUITES
from bench.tables import table
from bench.workbench import Workbench
from hatchet_cli.exiting import ExitCode, exit_process

__all__ = ["main"]

_CORES: Final = 2
_LEAST_COLUMNS: Final = 110


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and end the process.

    The exit code is 0 also where goals are missed, and 1 where something could not be measured.
    """
    options = _parser().parse_args(arguments)
    if options.list:
        for suite in SUITES.values():
            _say(f"{suite.name}: {suite.what}")
        exit_process(ExitCode.SUCCESS)
    logging.basicConfig(level=logging.ERROR)
    for name in ("aio_pika", "aiormq", "temporalio", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    pin(_CORES)
    try:
        exit_process(asyncio.run(_main(options)))
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        sys.stderr.write(f"bench: ended before its time: {error!r}\n")
        exit_process(ExitCode.INTERRUPTED)


async def _main(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None:
        # Ctrl-C cancels as well; what is open closes then, the servers at last.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel, "SIGTERM")
    suites = [SUITES[name] for name in dict.fromkeys(options.only or SUITES)]
    before = machine()
    with tempfile.TemporaryDirectory(prefix="hatchet-bench-") as folder:
        bench = Workbench(Path(folder), is_short=options.short)
        try:
            results = await run_suites(suites, bench, _tell)
            found = await versions(bench)
        finally:
            bench.close()
    columns = os.get_terminal_size().columns if sys.stdout.isatty() else _LEAST_COLUMNS
    Console(width=max(columns, _LEAST_COLUMNS)).print(table(results))
    for name, trace in bench.traces.items():
        sys.stderr.write(f"{name} failed:\n{trace}\n")
    if options.json is not None:
        made = record(results, is_short=options.short, machine=before, versions=found)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    failed = any(result.error is not None for result in results)
    return ExitCode.FINDINGS if failed else ExitCode.SUCCESS


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./task bench --",
        description="Measure what Hatchet costs, each figure beside its own limit in the same run.",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        action="extend",
        choices=list(SUITES),
        metavar="SUITE",
        help="run these suites only",
    )
    parser.add_argument("--short", action="store_true", help="fewer repetitions, events and jobs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--list", action="store_true", help="tell the suites and what they measure")
    return parser
