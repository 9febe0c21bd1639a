"""The routers and workers of one scenario."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chaos.programs import HATCHET, Program
from hatchet_cli.devstack.guard import Guard

__all__ = ["Cast"]

_ROOT: Final = Path(__file__).parents[1]
_STOP_SECONDS: Final = 40.0
# Nobody's addresses but ours; and who is killed all the time measures no coverage.
_NOT_INHERITED: Final = re.compile(r"(HATCHET|TEMPORAL|AMQP|RABBITMQ|CLOUDAMQP|COVERAGE)_")


class Cast:
    """All processes that were started, with what went wrong about their ends (``findings``).

    ``patches`` are built into every router (`chaos.patches`).
    """

    def __init__(self, folder: Path, guard: Guard, patches: tuple[str, ...]) -> None:
        self.programs: list[Program] = []
        self.findings: list[str] = []
        self._folder = folder
        self._guard = guard
        self._patches = patches

    @property
    def routers(self) -> list[Program]:
        """The routers, also those that have ended."""
        return [program for program in self.programs if program.name.startswith("router")]

    def launch_router(self, patches: tuple[str, ...], variables: Mapping[str, str]) -> Program:
        """Start a router and return at once."""
        names = ",".join((*self._patches, *patches))
        hatchet = [sys.executable, "-m", "chaos.patches", names] if names else [HATCHET]
        return self._start("router", [*hatchet, "router"], variables)

    def launch_worker(self, variables: Mapping[str, str]) -> Program:
        """Start a worker and return at once."""
        return self._start("worker", [HATCHET, "worker", "chaos.steps:worker"], variables)

    async def stop(self, *, routers_alone: bool = False) -> None:
        """Ask all to end, and wait for them."""
        asked = self.routers if routers_alone else self.programs
        running = [program for program in asked if program.is_running]
        codes = await asyncio.gather(*(program.stop(_STOP_SECONDS) for program in running))
        for program, code in zip(running, codes, strict=True):
            if code is None:
                self.findings.append(f"{program.name} did not end in {_STOP_SECONDS:g} s")
            elif code != 0:
                self.findings.append(f"{program.name}, asked to end, ended with code {code}")

    def unforeseen_ends(self) -> list[str]:
        """Return which processes ended that nobody had asked to."""
        return [
            f"{program.name} ended by itself with code {program.exit_code}"
            for program in self.programs
            if not program.was_meant_to_end and not program.is_running
        ]

    def kill(self) -> None:
        """End what still runs."""
        for program in self.programs:
            program.kill()

    def _start(self, kind: str, command: list[str], variables: Mapping[str, str]) -> Program:
        number = 1 + sum(program.name.startswith(kind) for program in self.programs)
        inherited = {
            name: text for name, text in os.environ.items() if not _NOT_INHERITED.match(name)
        }
        path = (str(_ROOT), os.environ.get("PYTHONPATH"))
        program = Program(
            f"{kind}-{number}",
            command,
            environment={
                **inherited,
                "PYTHONPATH": os.pathsep.join(part for part in path if part),
                "HATCHET_LOG_FORMAT": "json",
                "CHAOS_FOLDER": str(self._folder),
                **variables,
            },
            folder=self._folder,
            guard=self._guard,
        )
        self.programs.append(program)
        return program
