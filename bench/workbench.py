"""What suites measure on: servers, programs, and a folder."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from temporalio.client import Client

from bench.processes import Program
from hatchet_cli.devstack import DevStack
from hatchet_cli.devstack.guard import Guard
from hatchet_worker.connection import TemporalSettings, connect

__all__ = ["HATCHET", "Workbench"]

HATCHET: Final = str(Path(sys.executable).parent / "hatchet")
"""The command as users run it."""

_T = TypeVar("_T")
_PROGRAM_SECONDS: Final = 120.0


class Workbench:
    """The servers of a run, and the programs of the suite that is measured.

    The servers are started when a suite first asks for them. All that was started is ended by
    `close`, and by a watchdog if this process is killed. Files are in ``folder``.
    """

    def __init__(self, folder: Path, *, is_short: bool) -> None:
        self.is_short = is_short
        self.folder = folder
        self.traces: dict[str, str] = {}
        self._guard = Guard()
        self._stack = DevStack(headless=True)
        self._is_started = False
        self._client: Client | None = None
        self._programs: list[Program] = []
        self._names = 0

    def pick(self, long: _T, short: _T) -> _T:
        """Return what this form of the run is to take."""
        return short if self.is_short else long

    @property
    def has_servers(self) -> bool:
        """Whether a suite has asked for the servers."""
        return self._is_started

    async def stack(self) -> DevStack:
        """Return the servers, running."""
        if not self._is_started:
            self._is_started = True
            starting = asyncio.ensure_future(asyncio.to_thread(self._stack.start))
            await asyncio.shield(starting)
        return self._stack

    async def temporal(self) -> Client:
        """Return a client of the Temporal, as `hatchet` makes it."""
        if self._client is None:
            stack = await self.stack()
            self._client = await connect(TemporalSettings(address=stack.temporal.address))
        return self._client

    def new_name(self, what: str) -> str:
        """Return a name that nothing else has on the servers and in the folder."""
        self._names += 1
        return f"{what}-{self._names}"

    def start(
        self, what: str, command: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> Program:
        """Start a program and return at once; it is ended with the suite at the latest."""
        program = Program(
            self.new_name(what),
            command,
            variables=variables or {},
            folder=self.folder,
            guard=self._guard,
        )
        self._programs.append(program)
        return program

    async def run(
        self, module: str, *, deadline_seconds: float = _PROGRAM_SECONDS, **arguments: Any
    ) -> dict[str, Any]:
        """Run one of `bench.programs` to its end, and return what it has measured.

        Raises:
            MeasuringFailed: it did not end well, or not in so many seconds.

        """
        return await self.launch(module, **arguments).result(deadline_seconds)

    def launch(self, module: str, **arguments: Any) -> Program:
        """Start one of `bench.programs` and return at once."""
        command = [sys.executable, "-m", f"bench.programs.{module}", json.dumps(arguments)]
        return self.start(module, command)

    @asynccontextmanager
    async def lifetime(self) -> AsyncGenerator[None]:
        """End all programs that were started within the context."""
        try:
            yield
        finally:
            for program in self._programs:
                program.kill()
            self._programs.clear()

    def keep_trace(self, suite: str, trace: str) -> None:
        """Keep the whole story of why ``suite`` failed."""
        self.traces[suite] = trace

    def close(self) -> None:
        """End everything."""
        for program in self._programs:
            program.kill()
        self._guard.close()
        self._stack.stop()
