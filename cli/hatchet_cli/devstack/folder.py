"""The folder that holds a server's data: private and passing, or kept by its user."""

import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from hatchet_cli.devstack.errors import DevStackError

# A stack whose owner was killed needs a moment to die; its watchdog holds the lock until then.
_LOCK_TIMEOUT_S: Final = 2.0
_LOCK_POLL_S: Final = 0.05


class DataFolder:
    """A server's folder, from construction to `close()`.

    Without `data_dir` it is a new temporary folder (`is_private`), which the server's guard
    deletes. With `data_dir` it is that folder, made if missing and locked, because two servers on
    the same data would destroy them. Raises `DevStackError` if another server holds the lock.
    """

    def __init__(self, prefix: str, data_dir: Path | None) -> None:
        self.is_private: Final = data_dir is None
        self.lock_fd: int | None = None
        if data_dir is None:
            self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
            return
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = data_dir.resolve()
        self.lock_fd = _lock(self.path / "lock")

    def close(self) -> None:
        """Let others use a kept folder. May be called again."""
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise DevStackError(
                    f"another running server uses {str(path.parent)!r}; "
                    "stop it, or choose another folder"
                ) from None
            time.sleep(_LOCK_POLL_S)
        else:
            return descriptor
