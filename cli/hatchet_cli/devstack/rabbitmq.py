"""A private RabbitMQ node."""

import secrets
import shutil
from pathlib import Path
from typing import ClassVar, Final

from hatchet_cli.devstack.errors import ServerNotInstalledError
from hatchet_cli.devstack.ports import LOOPBACK
from hatchet_cli.devstack.premises import Premises
from hatchet_cli.devstack.probe import accepts_connections, amqp_answers, http_answers
from hatchet_cli.devstack.processes import ManagedProcess
from hatchet_cli.devstack.server import Server

_HOW_TO_INSTALL: Final = (
    "run `apt-get install rabbitmq-server` or `brew install rabbitmq`, "
    "or use `docker compose up` instead"
)

# The program itself comes before what is on PATH: the distributions put a script there that
# changes the user, who then cannot read a private folder.
_PACKAGED_SERVER: Final = "/usr/lib/rabbitmq/bin"
_BREW_FOLDERS: Final = "/opt/homebrew/sbin:/usr/local/sbin"

_EPMD_TIMEOUT_S: Final = 10.0

# Settings that RabbitMQ 3.10 and 4 both know. Only loopback; output to where we collect it.
_CONFIG: Final = """\
listeners.tcp.local = {host}:{amqp_port}
log.console = true
log.console.use_colors = off
log.file = false
"""
_MANAGEMENT_CONFIG: Final = """\
management.tcp.ip = {host}
management.tcp.port = {management_port}
"""


class RabbitmqServer(Server):
    """A RabbitMQ node that only this machine can reach, as user `guest` with password `guest`.

    It brings its own epmd (Erlang's port mapper, which otherwise stays behind as a daemon), cookie
    and home folder, so it neither sees nor disturbs another RabbitMQ. `management` adds the web UI
    and the HTTP API.
    """

    name: ClassVar[str] = "RabbitMQ"
    port_count: ClassVar[int] = 4

    def __init__(self, data_dir: Path | None = None, *, management: bool = False) -> None:
        super().__init__(data_dir)
        self._management = management
        self._epmd: ManagedProcess | None = None

    @property
    def port(self) -> int:
        """The port that speaks AMQP."""
        return self._running_premises().ports[0]

    @property
    def amqp_url(self) -> str:
        """The address for AMQP clients, with user and password."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/"

    @property
    def management_url(self) -> str | None:
        """The address of the web UI and HTTP API (guest, guest); None without `management`."""
        if not self._management:
            return None
        return f"http://{LOOPBACK}:{self._running_premises().ports[1]}"

    def _is_ready(self) -> bool:
        # Listeners open last, when everything behind them has booted.
        amqp_port, management_port, *_ = self._running_premises().ports
        return amqp_answers(LOOPBACK, amqp_port) and (
            not self._management or http_answers(LOOPBACK, management_port)
        )

    def _spawn(self, premises: Premises) -> ManagedProcess:
        folder = premises.folder
        amqp_port, management_port, distribution_port, epmd_port = premises.ports
        config = _CONFIG + (_MANAGEMENT_CONFIG if self._management else "")
        (folder / "rabbitmq.conf").write_text(
            config.format(host=LOOPBACK, amqp_port=amqp_port, management_port=management_port)
        )
        plugins = "rabbitmq_management" if self._management else ""
        (folder / "enabled_plugins").write_text(f"[{plugins}].\n")
        program = find_server()
        self._keep_epmd_running(premises, epmd_port)
        return premises.run(
            self.name,
            [program],
            self.log_path,
            LANG="C.UTF-8",
            ERL_EPMD_PORT=str(epmd_port),
            ERL_CRASH_DUMP_SECONDS="0",
            RABBITMQ_NODENAME=_node_name(folder),
            RABBITMQ_DIST_PORT=str(distribution_port),
            RABBITMQ_MNESIA_BASE=str(folder / "data"),
            RABBITMQ_LOG_BASE=str(folder / "log"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "enabled_plugins"),
            RABBITMQ_CONFIG_FILE=str(folder / "rabbitmq.conf"),
            # These exist only if the user wants to try something; never the machine's own.
            RABBITMQ_ADVANCED_CONFIG_FILE=str(folder / "advanced.config"),
            RABBITMQ_CONFIG_FILES=str(folder / "conf.d"),
            RABBITMQ_CONF_ENV_FILE=str(folder / "rabbitmq-env.conf"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=(
                # Two schedulers serve one developer, unbound so that nodes share the cores.
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
            ),
            RABBITMQ_SCHEDULER_BIND_TYPE="u",
            # Booting hands thousands of small file reads to other threads. Waiting for each in a
            # short loop, not asleep, halves the time to start and costs under 1 % CPU when idle.
            RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD="very_short",
            # The start script then becomes the node, with no shell between it and our signals.
            RUNNING_UNDER_SYSTEMD="true",
        )

    def _keep_epmd_running(self, premises: Premises, port: int) -> None:
        if self._epmd is not None and self._epmd.is_running:
            return
        command = [_find_epmd(), "-port", str(port), "-address", LOOPBACK]
        self._epmd = premises.run("epmd", command, premises.folder / "epmd.log")
        self._epmd.wait_until(lambda: accepts_connections(LOOPBACK, port), _EPMD_TIMEOUT_S)


def find_server() -> str:
    """Return the path of RabbitMQ's start script; raises `ServerNotInstalledError`."""
    for path in (_PACKAGED_SERVER, None, _BREW_FOLDERS):
        found = shutil.which("rabbitmq-server", path=path)
        if found is not None:
            return found
    raise ServerNotInstalledError("RabbitMQ", _HOW_TO_INSTALL)


def _find_epmd() -> str:
    found = shutil.which("epmd")
    if found is None and (erlang := shutil.which("erl")) is not None:
        found = shutil.which("epmd", path=str(Path(erlang).resolve().parent))
    if found is None:
        raise ServerNotInstalledError("Erlang's epmd", _HOW_TO_INSTALL)
    return found


def _node_name(folder: Path) -> str:
    """Return the node's name, which its data belong to: made once for a folder, then kept."""
    path = folder / "node-name"
    if not path.exists():
        path.write_text(f"hatchet-{secrets.token_hex(4)}@localhost\n")
    return path.read_text().strip()
