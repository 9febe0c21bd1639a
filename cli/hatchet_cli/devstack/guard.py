"""The owner's end of the watchdog: nothing outlives the process that started it."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Final, cast

from hatchet_cli.devstack import watchdog
from hatchet_cli.devstack.errors import DevStackError

_CLOSE_TIMEOUT_S: Final = watchdog.DELETE_SECONDS + 5


class Guard:
    """Kills the process groups it has adopted when their owner ends for any reason.

    A small child process in a session of its own waits for this process to close a pipe, which
    the kernel does even after SIGKILL. `folder` is deleted at the same time. `keep_open` are file
    descriptors that the child holds too, such as a lock on data that dying processes still use.
    """

    def __init__(self, folder: Path | None = None, keep_open: tuple[int, ...] = ()) -> None:
        self._folder = folder
        self._lock = Lock()
        self._watchdog = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", watchdog.__file__, str(os.getpid())),
                *([str(folder)] if folder else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=keep_open,
            start_new_session=True,
        )
        self._pipe = cast("IO[bytes]", self._watchdog.stdin)

    def adopt(self, group: int) -> None:
        """Watch over this process group. Raises `DevStackError` when the guard is closed."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """Forget this process group, which has ended."""
        with suppress(DevStackError):
            self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the watchdog, and with it what it still watches over. May be called again."""
        with self._lock:
            self._pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._watchdog.wait(_CLOSE_TIMEOUT_S)
        if self._folder is not None:  # only if the watchdog itself was killed
            shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, line: str) -> None:
        with self._lock:
            try:
                self._pipe.write(line.encode())
            except (ValueError, BrokenPipeError) as error:
                raise DevStackError(
                    "the local server was stopped, or its watchdog killed"
                ) from error
