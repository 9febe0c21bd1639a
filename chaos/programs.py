"""Routers and workers as processes: started, killed, frozen, asked to end, and weighed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hatchet_cli.devstack.guard import Guard
from hatchet_cli.devstack.processes import ManagedProcess

__all__ = ["HATCHET", "Program", "Weight"]

HATCHET: Final = str(Path(sys.executable).parent / "hatchet")

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_POLL_SECONDS: Final = 0.02
_WEIGH_SECONDS: Final = 0.5


@dataclass(slots=True)
class Weight:
    """How much memory a process had, in MiB, from half second to half second."""

    name: str
    samples: list[float] = field(default_factory=list[float])


class Program:
    """One process of ours that runs until it is ended, with its log in a file of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        guard: Guard,
    ) -> None:
        self.name = name
        self.log_path = folder / f"{name}.log"
        self.weight = Weight(name)
        self.was_meant_to_end = False
        self._process = ManagedProcess(
            name, command, env=environment, log_path=self.log_path, guard=guard
        )
        self._weighing = asyncio.create_task(self._weigh())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_running

    @property
    def exit_code(self) -> int | None:
        """The code it ended with, None while it runs."""
        return self._process.exit_code

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.was_meant_to_end = True
        self._weighing.cancel()
        self._process.kill()

    def pause(self) -> None:
        """Freeze it."""
        self._process.pause()

    def resume(self) -> None:
        """Let it go on."""
        self._process.resume()

    async def stop(self, seconds: float) -> int | None:
        """Ask it to end and return its exit code; None if it had to be killed."""
        self.was_meant_to_end = True
        if self.is_running:
            self._process.signal(signal.SIGTERM)
        code = await self.ended(seconds)
        self.kill()
        return code

    async def ended(self, seconds: float) -> int | None:
        """Return its exit code once it has ended, None if it goes on for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.exit_code is None:  # noqa: ASYNC110 - a process tells only when asked
                    await asyncio.sleep(_POLL_SECONDS)
        return self.exit_code

    async def has_said(self, event: str, seconds: float) -> bool:
        """Wait until its log has a record ``event``; False if it ends, or takes so long."""
        deadline = time.monotonic() + seconds
        while not self.records(event):
            if not self.is_running or time.monotonic() > deadline:
                return bool(self.records(event))
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def records(self, event: str) -> list[dict[str, Any]]:
        """Return its log's records named ``event``."""
        found: list[dict[str, Any]] = []
        with suppress(FileNotFoundError):
            for line in self.log_path.read_text(errors="replace").splitlines():
                if event in line:
                    with suppress(ValueError):
                        record = json.loads(line)
                        if isinstance(record, dict) and record.get("event") == event:
                            found.append(record)
        return found

    async def _weigh(self) -> None:
        while self.is_running:
            with suppress(OSError, IndexError):
                self.weight.samples.append(_memory_mib(self._process.pid))
            await asyncio.sleep(_WEIGH_SECONDS)


def _memory_mib(process_id: int) -> float:
    """Return the resident memory of a process (proc(5), statm)."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES / 2**20
