"""What RabbitMQ and Temporal have in common as local servers: their life from start to stop."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from hatchet_cli.devstack.errors import DevStackError, ServerFailedError
from hatchet_cli.devstack.premises import Premises
from hatchet_cli.devstack.processes import ManagedProcess

_START_ATTEMPTS: Final = 5
_START_TIMEOUT_S: Final = 60.0
_RESTART_GRACE_S: Final = 15.0


class Server(ABC):
    """A server of our own on free loopback ports, from `start()` to `stop()`.

    Without `data_dir` it starts empty, and what it wrote is deleted when it stops. With `data_dir`
    its data stay there and the next server with that folder finds them; its ports may differ.
    Nothing of it outlives this process, even if this process is killed.

    All methods block. `stop()` may be called from another thread while `start()` waits.
    They raise `ServerNotInstalledError`, `ServerFailedError` with the end of the server's log, and
    `DevStackError` for a server that was never started.
    """

    name: ClassVar[str]
    port_count: ClassVar[int]

    def __init__(self, data_dir: Path | None = None) -> None:
        self._data_dir = data_dir
        self._premises: Premises | None = None
        self._process: ManagedProcess | None = None

    @abstractmethod
    def _spawn(self, premises: Premises) -> ManagedProcess:
        """Start the program on the ports and the data of these premises."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether clients are served now."""

    @property
    def log_path(self) -> Path:
        """The file with all that the server writes; a private one is deleted with the rest."""
        return self._running_premises().folder / f"{self.name.lower()}.log"

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives, paused or not."""
        return self._process is not None and self._process.is_running

    @property
    def pid(self) -> int:
        """The process id of the server, another one after `restart()`."""
        return self._running_process().pid

    def start(self) -> None:
        """Start the server and wait until it serves clients."""
        start_together(self)

    def launch(self) -> None:
        """Start the server without waiting; `wait_until_ready()` has to follow."""
        if self._premises is not None:
            raise DevStackError(f"this {self.name} is already started")
        self._premises = Premises(f"hatchet-{self.name.lower()}-", self._data_dir, self.port_count)
        try:
            self._process = self._spawn(self._premises)
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Wait until the launched server serves clients, moving it if its ports were taken."""
        for attempt in range(1, _START_ATTEMPTS + 1):
            premises, process = self._running_premises(), self._running_process()
            try:
                process.wait_until(self._is_ready, _START_TIMEOUT_S)
            except ServerFailedError as error:
                if not error.address_in_use or attempt == _START_ATTEMPTS:
                    raise
                premises.change_ports()
                self._process = self._spawn(premises)
            else:
                return

    def stop(self) -> None:
        """End the server and all that belongs to it. May be called again, and on any state."""
        premises, self._premises, self._process = self._premises, None, None
        if premises is not None:
            premises.close()

    def kill(self) -> None:
        """End the server as a crash would, with SIGKILL; `restart()` brings it back."""
        self._running_process().kill()

    def restart(self) -> None:
        """End the server gently if it still runs, and start it on the same ports and data."""
        premises = self._running_premises()
        self._running_process().terminate(_RESTART_GRACE_S)
        self._process = self._spawn(premises)
        self._process.wait_until(self._is_ready, _START_TIMEOUT_S)

    def pause(self) -> None:
        """Freeze the server: connections stay open, new ones are accepted, nothing answers."""
        self._running_process().pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._running_process().resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _running_premises(self) -> Premises:
        if self._premises is None:
            raise DevStackError(f"this {self.name} is not started")
        return self._premises

    def _running_process(self) -> ManagedProcess:
        if self._process is None:
            raise DevStackError(f"this {self.name} is not started")
        return self._process


def start_together(*servers: Server) -> None:
    """Start these servers at the same time and wait for all; if one fails, none is left running."""
    with ExitStack() as on_failure:
        for server in servers:
            server.launch()
            on_failure.callback(server.stop)
        for server in servers:
            server.wait_until_ready()
        on_failure.pop_all()
