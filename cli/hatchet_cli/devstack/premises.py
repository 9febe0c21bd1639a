"""What one run of a server owns, and gives back all at once."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Final

from hatchet_cli.devstack.errors import DevStackError
from hatchet_cli.devstack.folder import DataFolder
from hatchet_cli.devstack.guard import Guard
from hatchet_cli.devstack.ports import PortBlock
from hatchet_cli.devstack.processes import ManagedProcess

_STOP_GRACE_S: Final = 15.0

# Both servers read many variables of their own, and a user's settings for other servers must not
# reach these. What remains is what any program needs.
_INHERITED_VARIABLES: Final = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ")


class Premises:
    """A server's folder, ports and processes, from construction to `close()`.

    Raises `DevStackError` if another running server uses `data_dir`.
    """

    def __init__(self, prefix: str, data_dir: Path | None, port_count: int) -> None:
        self._lock = Lock()
        self._is_closed = False
        self._processes: list[ManagedProcess] = []
        self._port_count = port_count
        with ExitStack() as resources:
            folder = DataFolder(prefix, data_dir)
            resources.callback(folder.close)
            self.folder: Final = folder.path
            self.is_private: Final = folder.is_private
            self._guard = Guard(
                folder.path if folder.is_private else None,
                keep_open=() if folder.lock_fd is None else (folder.lock_fd,),
            )
            resources.callback(self._guard.close)
            self._ports = PortBlock(port_count)
            self._resources = resources.pop_all()

    @property
    def ports(self) -> tuple[int, ...]:
        """The loopback ports that the server may listen on."""
        return self._ports.numbers

    def change_ports(self) -> None:
        """End all programs and take other ports."""
        for process in self._processes:
            process.kill()
        self._ports.close()
        self._ports = PortBlock(self._port_count)

    def run(
        self, name: str, command: Sequence[str], log_path: Path, **variables: str
    ) -> ManagedProcess:
        """Start a program with these environment variables; raises `DevStackError` if closed."""
        inherited = {key: os.environ[key] for key in _INHERITED_VARIABLES if key in os.environ}
        with self._lock:
            if self._is_closed:
                raise DevStackError(f"{name} was stopped while it started")
            process = ManagedProcess(
                name,
                command,
                env=inherited | {"HOME": str(self.folder)} | variables,
                log_path=log_path,
                guard=self._guard,
            )
            self._processes.append(process)
            return process

    def close(self) -> None:
        """End all programs, give the ports back and delete a private folder.

        Programs on private data are killed; those on kept data may finish their writing first.
        May be called again.
        """
        with self._lock:
            self._is_closed = True
        try:
            for process in reversed(self._processes):
                if not self.is_private:
                    process.terminate(_STOP_GRACE_S)
        finally:
            for process in reversed(self._processes):
                process.kill()
            self._ports.close()
            self._resources.close()
