"""The servers that peers keep their state in: private ones, from this machine's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from hatchet_cli.devstack import Server, ServerFailedError, ServerNotInstalledError
from hatchet_cli.devstack.ports import LOOPBACK
from hatchet_cli.devstack.premises import Premises
from hatchet_cli.devstack.processes import ManagedProcess

__all__ = ["PostgresServer", "RedisServer", "StateServer"]

_HOW_TO_INSTALL: Final = "run `./task setup-peers`"
_POSTGRES_FOLDERS: Final = "/usr/lib/postgresql"
_POSTGRES_USER: Final = "postgres"
_INITDB_SECONDS: Final = 60.0


class StateServer(Server):
    """A server that only one peer uses."""

    @property
    @abstractmethod
    def authority(self) -> str:
        """The user, if there is one, and the address, as in a URL."""


class RedisServer(StateServer):
    """Redis as it comes: on disk every now and then, not with each write."""

    name: ClassVar[str] = "Redis"
    port_count: ClassVar[int] = 1

    @property
    def authority(self) -> str:
        """The address."""
        return f"{LOOPBACK}:{self._port}"

    def _is_ready(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self._port), 1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
        return False

    @property
    def _port(self) -> int:
        return self._running_premises().ports[0]

    def _spawn(self, premises: Premises) -> ManagedProcess:
        program = shutil.which("redis-server")
        if program is None:
            raise ServerNotInstalledError(self.name, _HOW_TO_INSTALL)
        command = [program, "--bind", LOOPBACK, "--port", str(premises.ports[0])]
        return premises.run(self.name, [*command, "--dir", str(premises.folder)], self.log_path)


class PostgresServer(StateServer):
    """PostgreSQL with its own defaults.

    It refuses to run as root; started by root, it runs as the user that its package has made.
    """

    name: ClassVar[str] = "PostgreSQL"
    port_count: ClassVar[int] = 1

    @property
    def authority(self) -> str:
        """The user, who needs no password, and the address."""
        return f"{_POSTGRES_USER}@{LOOPBACK}:{self._running_premises().ports[0]}"

    def _is_ready(self) -> bool:
        premises = self._running_premises()
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own tool
            [
                str(_postgres_program("pg_isready")),
                "-q",
                "-h",
                LOOPBACK,
                "-p",
                str(premises.ports[0]),
            ],
            check=False,
        )
        return done.returncode == 0

    def _spawn(self, premises: Premises) -> ManagedProcess:
        data = premises.folder / "data"
        if not data.exists():
            if os.geteuid() == 0:
                shutil.chown(premises.folder, _user().pw_uid)
            done = subprocess.run(  # noqa: S603 - PostgreSQL's own tool
                [
                    *_as_its_user(),
                    *(str(_postgres_program("initdb")), "--pgdata", str(data)),
                    *("--username", _POSTGRES_USER, "--auth", "trust", "--encoding", "UTF8"),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=_INITDB_SECONDS,
                cwd=premises.folder,
            )
            if done.returncode != 0:
                raise ServerFailedError(self.name, "could not make its files", done.stderr)
        command = [
            *_as_its_user(),
            *(str(_postgres_program("postgres")), "-D", str(data), "-h", LOOPBACK),
            *("-p", str(premises.ports[0]), "-k", str(premises.folder)),
        ]
        return premises.run(self.name, command, self.log_path)


def _postgres_program(name: str) -> Path:
    """Return a program of the newest PostgreSQL there is; raises `ServerNotInstalledError`."""
    packaged = sorted(Path(_POSTGRES_FOLDERS).glob(f"*/bin/{name}"), key=_major_version)
    found = str(packaged[-1]) if packaged else shutil.which(name)
    if found is None:
        raise ServerNotInstalledError("PostgreSQL", _HOW_TO_INSTALL)
    return Path(found)


def _major_version(program: Path) -> int:
    number = program.parents[1].name
    return int(number) if number.isdecimal() else 0


def _as_its_user() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    user = _user()
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_POSTGRES_USER)
    except KeyError:
        raise ServerFailedError(
            "PostgreSQL", f"refuses to run as root, and there is no user {_POSTGRES_USER!r}"
        ) from None
