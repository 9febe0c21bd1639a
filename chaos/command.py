"""The command line of the suite."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chaos.checks import CHECKS, Check
from chaos.patches import SABOTAGE
from chaos.runs import Result, Run, play_all
from chaos.scenarios import SCENARIOS
from chaos.tables import line, table
from hatchet_cli.exiting import ExitCode, exit_process

__all__ = ["main"]

_CACHE: Final = Path(__file__).parents[1] / ".cache" / "chaos"
_MOST_LANES: Final = 8


def main() -> None:
    """Play what the arguments name, and end the process: 0 only if every invariant held."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.ERROR)
    for name in ("aio_pika", "aiormq", "pika", "temporalio", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        exit_process(asyncio.run(_main(options)))
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        sys.stderr.write(f"chaos: ended before its time: {error!r}\n")
        exit_process(ExitCode.INTERRUPTED)


async def _main(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None:
        # Ctrl-C cancels as well; what is open closes then, the servers at last.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel, "SIGTERM")
    if options.list:
        for scenario in SCENARIOS.values():
            _say(f"{scenario.name}: {scenario.invariant}")
        return ExitCode.SUCCESS
    runs: list[Run] = []
    checking = list(SABOTAGE) if options.check_the_checker else options.check
    if options.only or not checking:
        runs += [
            Run(SCENARIOS[name], is_short=options.short, patches=tuple(options.sabotage))
            for name in dict.fromkeys(options.only or SCENARIOS)
        ]
    checks = {_run_of(check): check for check in CHECKS if check.patch in checking}
    results = await _played([*runs, *checks], options)
    _say(table(results))
    verdicts = {result.run: result.verdict for result in results}
    unnoticed = [check for run, check in checks.items() if not check.noticed(verdicts[run])]
    for check in unnoticed:
        _say(f"{check.patch}: {check.scenario} did not notice it")
    if checks and not unnoticed:
        _say(f"All {len(checks)} promises that were broken on purpose were found broken.")
    green = all(verdicts[run].is_green for run in runs)
    return ExitCode.SUCCESS if green and not unnoticed else ExitCode.FINDINGS


def _run_of(check: Check) -> Run:
    return Run(
        SCENARIOS[check.scenario],
        is_short=True,
        patches=(check.patch,),
        is_done_with=check.noticed,
    )


async def _played(runs: Sequence[Run], options: argparse.Namespace) -> list[Result]:
    folder = _CACHE / str(os.getpid())
    try:
        return await play_all(runs, folder, _tell, lanes=options.lanes, keep=options.keep)
    finally:
        for empty in (*folder.glob("lane-*"), folder):
            with suppress(OSError):
                empty.rmdir()


def _tell(result: Result) -> None:
    sys.stderr.write(f"{line(result)}\n")
    sys.stderr.flush()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./task chaos --",
        description="Do faults to real servers and processes, and tell what became of each event.",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(SCENARIOS),
        metavar="SCENARIO",
        help="play this one; may be given again",
    )
    parser.add_argument("--short", action="store_true", help="fewer faults, events and minutes")
    parser.add_argument("--list", action="store_true", help="tell the scenarios and what they show")
    parser.add_argument(
        "--lanes",
        type=int,
        choices=range(1, _MOST_LANES + 1),
        default=1,
        help="how many to play at the same time, each lane on servers of its own",
    )
    parser.add_argument("--keep", action="store_true", help="keep all logs and ledgers")
    parser.add_argument(
        "--sabotage",
        action="append",
        choices=list(SABOTAGE),
        default=[],
        help="break a promise of the router's: the suite has to fail",
    )
    parser.add_argument(
        "--check",
        action="append",
        choices=list(SABOTAGE),
        default=[],
        help="break a promise of the router's: 0 if the suite notices, 1 if it does not",
    )
    parser.add_argument(
        "--check-the-checker",
        action="store_true",
        help="do this with each of the router's promises",
    )
    return parser
