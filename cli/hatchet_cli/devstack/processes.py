"""Programs that run in the background, each with a log file and a process group of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

from hatchet_cli.devstack.errors import ServerFailedError
from hatchet_cli.devstack.guard import Guard

_POLL_INTERVAL_S: Final = 0.02
_TAIL_LINES: Final = 15
_TAIL_BYTES: Final = 8_192

# The program starts once the guard knows its group: if this process dies before, the shell reads
# the end of its input and the program never runs.
_WAIT_FOR_GUARD: Final = 'read -r _ && exec "$@" </dev/null'


class ManagedProcess:
    """A running program in its own session, so that Ctrl-C reaches it only through its owner.

    `name` stands in error messages. The program has exactly the environment `env`; it appends its
    output to `log_path` and works in that file's folder.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log_path: Path,
        guard: Guard,
    ) -> None:
        self.name: Final = name
        self.log_path: Final = log_path
        self._guard = guard
        with log_path.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WAIT_FOR_GUARD, name, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=log_path.parent,
                start_new_session=True,
            )
        self._has_ended = False
        try:
            with cast("IO[bytes]", self._process.stdin) as gate:
                guard.adopt(self.pid)
                gate.write(b"\n")
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process id, which is the id of the process group too."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended. A paused program is running."""
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The code it ended with, minus the signal's number if one ended it; None while it runs."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Ask `ready` again and again until it says yes.

        Raises `ServerFailedError` with the end of the log if the program ends before, or if
        `timeout_s` seconds pass.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.exit_code is not None:
                raise ServerFailedError(
                    self.name, f"ended with code {self.exit_code}", self.log_tail()
                )
            if time.monotonic() > deadline:
                raise ServerFailedError(
                    self.name, f"was not ready within {timeout_s:g} seconds", self.log_tail()
                )
            time.sleep(_POLL_INTERVAL_S)

    def terminate(self, grace_s: float) -> None:
        """Ask the program to end with SIGTERM, and kill what is left after `grace_s` seconds."""
        if self.is_running:
            self.signal(signal.SIGTERM)
            self.resume()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """End the program's whole process group with SIGKILL and wait for the program's end."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._has_ended = True  # from now on the group's number may be another's
        self._guard.release(self.pid)

    def pause(self) -> None:
        """Stop the program's clock (SIGSTOP): its ports accept connections, and nobody answers."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused program go on (SIGCONT)."""
        self.signal(signal.SIGCONT)

    def log_tail(self) -> str:
        """Return the last lines that this run of the program wrote, nothing if they are deleted."""
        try:
            with self.log_path.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, end - _TAIL_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and to what it has started, unless it has ended."""
        if self._has_ended:
            return
        # macOS answers EPERM where all that is left of a group is waiting to be reaped.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
