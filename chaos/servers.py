"""The servers that faults are done to."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from hatchet_cli.devstack import RabbitmqServer, Server, TemporalServer, start_together

__all__ = ["ControlledRabbitmq", "Servers"]

_CONTROL_SECONDS: Final = 180.0
_PACKAGED_TOOLS: Final = "/usr/lib/rabbitmq/bin"


class ControlledRabbitmq(RabbitmqServer):
    """A RabbitMQ node that takes an operator's commands."""

    @property
    def node(self) -> str:
        """The node's name."""
        return (self.log_path.parent / "node-name").read_text().strip()

    @property
    def epmd_port(self) -> int:
        """The port of the node's port mapper."""
        return self._running_premises().ports[3]

    def control(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` with these arguments; return what it says."""
        tool = shutil.which("rabbitmqctl", path=_PACKAGED_TOOLS) or shutil.which("rabbitmqctl")
        if tool is None:
            raise FileNotFoundError("rabbitmqctl is not installed beside RabbitMQ")
        done = subprocess.run(  # noqa: S603 - RabbitMQ's own tool
            [tool, "--quiet", "-n", self.node, *arguments],
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.log_path.parent),
                "LANG": "C.UTF-8",
                "ERL_EPMD_PORT": str(self.epmd_port),
            },
            capture_output=True,
            text=True,
            timeout=_CONTROL_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout


class Servers:
    """One RabbitMQ and one Temporal, started with the ``async with``."""

    def __init__(self) -> None:
        self.rabbitmq = ControlledRabbitmq()
        self.temporal = TemporalServer(headless=True)

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(
            asyncio.to_thread(start_together, self.rabbitmq, self.temporal)
        )
        try:
            await asyncio.shield(starting)
        except BaseException:
            self._stop()  # which ends the start that is under way in its thread, too
            with suppress(Exception):
                await starting
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        servers: tuple[Server, ...] = (self.temporal, self.rabbitmq)
        for server in servers:
            server.stop()
