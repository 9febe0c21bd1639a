"""The program as its users have it: commands, files, exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hatchet_cli.devstack import DevStack

ROOT = Path(__file__).parents[2]
HATCHET = Path(sys.executable).parent / "hatchet"
_TIMEOUT_SECONDS = 120.0
_ADDRESSES = re.compile(r"(HATCHET|TEMPORAL|AMQP|RABBITMQ|CLOUDAMQP)_")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class RunningCommand:
    """A command that runs in the background; what it writes to stderr goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def has_said(self, text: str) -> bool:
        """Tell whether its stderr holds ``text`` by now; it fails the test if it has ended."""
        has_ended = self.process.poll() is not None  # asked first: it may speak until it ends
        said = self.log.read_text()
        assert text in said or not has_ended, said
        return text in said

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(_TIMEOUT_SECONDS)


class Project:
    """A user's project: a folder with workflow files and integrations, and its environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        (folder / ".hatchet").mkdir()

    def write(self, path: str, content: str) -> None:
        """Write a file of the project."""
        (self.folder / path).write_text(content)

    def hatchet(self, *arguments: str, stdin: str | None = None, **variables: str) -> Result:
        """Run a command to its end."""
        done = subprocess.run(
            [HATCHET, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[RunningCommand]:
        """Run a command in the background; kill it if it has not ended by itself."""
        log = self.folder / f"{uuid.uuid4().hex}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [HATCHET, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        try:
            yield RunningCommand(process, log)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment without anybody's addresses."""
    return without_addresses()


def without_addresses() -> dict[str, str]:
    """Return the environment without anybody's addresses."""
    return {name: value for name, value in os.environ.items() if not _ADDRESSES.match(name)}


@pytest.fixture
def offline_project(tmp_path: Path, clean_environment: dict[str, str]) -> Project:
    """A project for commands that need no server; none answers at its addresses."""
    return Project(
        tmp_path,
        {
            **clean_environment,
            "HATCHET_AMQP_URL": "amqp://guest:s3cret@127.0.0.1:1/",
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
        },
    )


@pytest.fixture
def project(tmp_path: Path, stack: DevStack) -> Project:
    """A project with servers, and an exchange, a queue and schedules of its own on them."""
    return project_with_servers(tmp_path, stack)


def project_with_servers(folder: Path, stack: DevStack) -> Project:
    """Return a project, with names of its own on the servers."""
    own = uuid.uuid4().hex[:8]
    return Project(
        folder,
        {
            **without_addresses(),
            "HATCHET_AMQP_URL": stack.rabbitmq.amqp_url,
            "HATCHET_EXCHANGE": f"hatchet.events.{own}",
            "HATCHET_QUEUE": f"hatchet.router.{own}",
            "HATCHET_DEPLOYMENT": own,
            "TEMPORAL_ADDRESS": stack.temporal.address,
        },
    )


@pytest.fixture
def lifetime() -> Iterator[ExitStack]:
    """Where a test leaves what has to end with it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def left_running(tmp_path: Path) -> Callable[[], list[str]]:
    """List the processes that were started with ``tmp_path`` as their TMPDIR and live on.

    All that we start inherits TMPDIR, the servers too, and nothing else on the machine has it.
    """

    def processes() -> list[str]:
        marked = f"TMPDIR={tmp_path}\0".encode()
        found: list[str] = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marked in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    return processes


def workflow(name: str, key: str, queue: str, *, timeout: str = "1m", **with_: Any) -> str:
    """Return a workflow file with one job of one step, ``echo:say``."""
    data = "".join(f'          {field}: "{value}"\n' for field, value in with_.items())
    return (
        f"name: {name}\n"
        f"on: {key}\n"
        "jobs:\n"
        "  speak:\n"
        f"    queue: {queue}\n"
        f"    timeout: {timeout}\n"
        "    steps:\n"
        "      - name: Say it\n"
        "        id: say\n"
        "        actionId: echo:say\n"
        "        timeout: 10s\n"
        "        retry: {attempts: 1}\n"
        f"        with:\n{data}"
    )
