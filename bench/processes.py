"""Programs in processes of their own: routers, workers, and the bare programs beside them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hatchet_cli.devstack.guard import Guard
from hatchet_cli.devstack.processes import ManagedProcess

__all__ = ["MeasuringFailed", "Program", "cpu_seconds", "environment", "time_of"]

_ROOT: Final = Path(__file__).parents[1]
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS: Final = slice(11, 13)  # utime and stime, behind the command's name
_POLL_SECONDS: Final = 0.05
_TAIL_CHARACTERS: Final = 1500
# Nobody's servers but ours; and what is measured measures no coverage, and keeps its bytecode.
_NOT_INHERITED: Final = re.compile(
    r"(HATCHET|TEMPORAL|AMQP|RABBITMQ|CLOUDAMQP|COVERAGE|COV)_|PYTHONDONTWRITEBYTECODE$"
)


class MeasuringFailed(Exception):
    """Something could not be measured; the message says what went wrong."""


class _Log:
    """What a program has written, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = 0
        self._rest = b""
        self._unread = deque[bytes]()

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines that were not yielded before."""
        with self.path.open("rb") as file:
            file.seek(self._position)
            content = file.read()
        self._position += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        self._unread.extend(lines)
        while self._unread:
            yield self._unread.popleft()


class Program:
    """A process that runs until it ends or is ended; its output is in a file of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: Path,
        guard: Guard,
    ) -> None:
        self.name = name
        self.log_path = folder / f"{name}.log"
        self._log = _Log(self.log_path)
        self._process = ManagedProcess(
            name, command, env=environment(variables), log_path=self.log_path, guard=guard
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return how long all its threads have been computing."""
        return cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        """Return its resident memory in MiB (proc(5), statm)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * _PAGE_BYTES / 2**20

    def kill(self) -> None:
        """End it and all that it has started with SIGKILL; may be called again."""
        self._process.kill()

    async def stop(self, seconds: float = 30.0) -> None:
        """Ask it to end, and wait until it has.

        Raises:
            MeasuringFailed: it did not end in so many seconds, or not with exit code 0.

        """
        self._process.signal(signal.SIGTERM)
        await self._ended(seconds)

    async def result(self, seconds: float) -> dict[str, Any]:
        """Wait for its end, and return the JSON object that it wrote last.

        Raises:
            MeasuringFailed: it did not end in so many seconds, or not with exit code 0.

        """
        await self._ended(seconds)
        lines = list(self._log.lines())
        found = json.loads(lines[-1]) if lines else None
        if not isinstance(found, dict):
            raise MeasuringFailed(f"{self.name} has written no result")
        return found

    async def records(self, event: str, count: int, seconds: float) -> list[dict[str, Any]]:
        """Wait for ``count`` more records named ``event`` in its log, and return them.

        ``event`` may be several names with ``|`` in between. Other records are passed over.

        Raises:
            MeasuringFailed: it ended before, or there were fewer after so many seconds.

        """
        mark = re.compile(rf'"event": "({event})"'.encode())
        deadline = time.monotonic() + seconds
        found: list[bytes] = []
        while True:
            ended = self._process.exit_code is not None
            for line in self._log.lines():
                if mark.search(line):
                    found.append(line)
                    if len(found) == count:
                        return [json.loads(line) for line in found]
            if ended or time.monotonic() > deadline:
                what = "ended" if ended else f"took more than {seconds:g} s"
                raise self._failure(f"{what}: {len(found)} of {count} records of {event}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _ended(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (code := self._process.exit_code) is None:
            if time.monotonic() > deadline:
                raise self._failure(f"did not end in {seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)
        self._process.kill()  # what it may have left behind
        if code != 0:
            raise self._failure(f"ended with code {code}")

    def _failure(self, what: str) -> MeasuringFailed:
        tail = self.log_path.read_text(errors="replace")[-_TAIL_CHARACTERS:].strip()
        failure = MeasuringFailed(f"{self.name} {what}: {tail.rpartition(chr(10))[2]}")
        failure.add_note(f"Its log ends with:\n{tail}")
        return failure


def cpu_seconds(pid: int) -> float:
    """Return how long all threads of a process have been computing (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_CPU_FIELDS])) / _TICKS_PER_SECOND


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what programs inherit of this process's environment, and ``variables``."""
    inherited = {name: text for name, text in os.environ.items() if not _NOT_INHERITED.match(name)}
    path = (str(_ROOT), os.environ.get("PYTHONPATH"))
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(part for part in path if part),
        "HATCHET_LOG_FORMAT": "json",
        **variables,
    }


def time_of(record: Mapping[str, Any]) -> float:
    """Return when a record was logged, in Unix time."""
    return datetime.fromisoformat(str(record["timestamp"])).timestamp()
