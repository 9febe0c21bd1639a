"""A private Temporal development server."""

import shutil
import sys
from pathlib import Path
from typing import ClassVar, Final

from hatchet_cli.devstack.errors import ServerNotInstalledError
from hatchet_cli.devstack.ports import LOOPBACK
from hatchet_cli.devstack.premises import Premises
from hatchet_cli.devstack.probe import http_answers
from hatchet_cli.devstack.processes import ManagedProcess
from hatchet_cli.devstack.server import Server
from hatchet_schemas.search_attributes import SEARCH_ATTRIBUTES

_HOW_TO_INSTALL: Final = (
    "run `pip install 'hatchet-workflows[dev]'` or `brew install temporal`, "
    "or use `docker compose up` instead"
)

# Temporal looks 20 times a second for what is due in a shard, as servers come, and a development
# server has one shard: each step of a job would wait for up to 50 ms.
_QUEUES_OF_TASKS: Final = ("transfer", "timer", "visibility")
_POLLS_PER_SECOND: Final = 500


class TemporalServer(Server):
    """Temporal's development server with its web UI, reachable from this machine only.

    It keeps its state in one SQLite file, has the namespace `default` and the search attributes
    that Hatchet sets. `headless` leaves out the web UI, which else has a port of its own choice, or
    `ui_port`.
    """

    name: ClassVar[str] = "Temporal"
    port_count: ClassVar[int] = 4
    namespace: ClassVar[str] = "default"

    def __init__(
        self, data_dir: Path | None = None, *, headless: bool = False, ui_port: int | None = None
    ) -> None:
        super().__init__(data_dir)
        self._headless = headless
        self._ui_port = ui_port

    @property
    def address(self) -> str:
        """The `host:port` for Temporal clients."""
        return f"{LOOPBACK}:{self._running_premises().ports[0]}"

    @property
    def ui_url(self) -> str | None:
        """The address of the web UI; None if `headless`."""
        if self._headless:
            return None
        return f"http://{LOOPBACK}:{self._ui_port or self._running_premises().ports[1]}"

    def _is_ready(self) -> bool:
        # Temporal's HTTP API asks the frontend, which asks the database: the namespace is there.
        http_port = self._running_premises().ports[2]
        return http_answers(LOOPBACK, http_port, f"/api/v1/namespaces/{self.namespace}")

    def _spawn(self, premises: Premises) -> ManagedProcess:
        port, free_port, http_port, metrics_port = premises.ports
        ui_port = self._ui_port or free_port
        ui = ("--headless",) if self._headless else ("--ui-port", str(ui_port))
        command = [
            *(find_temporal(), "server", "start-dev", "--ip", LOOPBACK),
            *("--port", str(port), "--http-port", str(http_port)),
            *("--metrics-port", str(metrics_port), *ui, "--ui-disable-news-fetch"),
            *("--db-filename", str(premises.folder / "temporal.db")),
            # Four times the throughput of the defaults; a killed process still loses nothing.
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
            *("--log-level", "warn"),
        ]
        for queue in _QUEUES_OF_TASKS:
            setting = f"history.{queue}ProcessorMaxPollRPS={_POLLS_PER_SECOND}"
            command += ["--dynamic-config-value", setting]
        for attribute in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{attribute}=Keyword"]
        return premises.run(
            self.name,
            command,
            self.log_path,
            # A developer's machine need not report to the outside that it runs a server.
            TEMPORAL_VERSION_CHECK_DISABLED="1",
        )


def find_temporal() -> str:
    """Return the path of the Temporal CLI; raises `ServerNotInstalledError`."""
    # Beside the interpreter first: there the `dev` extra puts it, also without an active venv.
    for path in (str(Path(sys.executable).parent), None):
        found = shutil.which("temporal", path=path)
        if found is not None:
            return found
    raise ServerNotInstalledError("The Temporal CLI", _HOW_TO_INSTALL)
