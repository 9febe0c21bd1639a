"""Our own processes under `hatchet dev`, and the records they log."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from hatchet_cli.devstack.guard import Guard
from hatchet_cli.exiting import CommandError, ExitCode

__all__ = ["Child", "Record", "running_child"]

Record = dict[str, Any]
"""One log record of a child, as it wrote it."""

_STOP_SECONDS: Final = 15.0
_LONGEST_LINE_BYTES: Final = 1024 * 1024
_KEPT_LINES: Final = 20


class Child:
    """A `hatchet` command that runs as a process of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self._process = process
        self._other_lines: list[str] = []

    async def follow(self, ready_event: str, on_record: Callable[[Record], None]) -> None:
        """Hand each record to ``on_record`` until the process ends.

        Raises:
            CommandError: the process ended; its own words and its exit code are passed on.

        """
        if self._process.stderr is None:
            raise RuntimeError("the child's stderr is no pipe")
        async for line in self._process.stderr:
            record = _record(line)
            if record is None:
                self._other_lines = [*self._other_lines, line.decode(errors="replace")][
                    -_KEPT_LINES:
                ]
                continue
            if record.get("event") == ready_event:
                self.ready.set()
            on_record(record)
        code = await self._process.wait()
        said = "".join(self._other_lines).strip().removeprefix("hatchet: ")
        raise CommandError(
            f"{self.name} ended{f': {said}' if said else ''}",
            ExitCode(code) if code in set(ExitCode) and code else ExitCode.FINDINGS,
        )

    async def stop(self) -> None:
        """Ask the process to end, as an operator would; kill it if it does not."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def running_child(
    name: str, arguments: Sequence[str], environment: Mapping[str, str], guard: Guard
) -> AsyncGenerator[Child, None]:
    """Run ``hatchet ARGUMENTS`` for the time of the block.

    It has a session of its own, so that Ctrl-C reaches it through us alone, and ``guard`` ends it
    if we are killed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hatchet_cli",
        *arguments,
        env={**environment, "HATCHET_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE_BYTES,
        start_new_session=True,
    )
    guard.adopt(process.pid)
    child = Child(name, process)
    try:
        yield child
    finally:
        await child.stop()
        guard.release(process.pid)


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None
