"""Three RabbitMQ nodes on this machine that form one cluster."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from chaos.servers import ControlledRabbitmq

__all__ = ["Cluster", "cluster"]

_SIZE: Final = 3


class _Node(ControlledRabbitmq):
    """A node that shares the others' secret; all but the first join ``first`` when they start.

    What the development server lets its user write into its folder is enough for that.
    """

    def __init__(self, folder: Path, cookie: str, first: _Node | None = None) -> None:
        super().__init__(folder)
        self._first = first
        folder.mkdir()
        secret = folder / ".erlang.cookie"
        secret.write_text(cookie)
        secret.chmod(0o400)
        if first is not None:
            (folder / "rabbitmq-env.conf").write_text(f"ERL_EPMD_PORT={first.epmd_port}\n")
            (folder / "conf.d").mkdir()
            (folder / "conf.d" / "cluster.conf").write_text(
                "cluster_formation.peer_discovery_backend = classic_config\n"
                f"cluster_formation.classic_config.nodes.1 = {first.node}\n"
            )

    @property
    def epmd_port(self) -> int:
        """The port of the one port mapper that knows all nodes."""
        return super().epmd_port if self._first is None else self._first.epmd_port


class Cluster:
    """The nodes, in the order in which clients try them."""

    def __init__(self, nodes: list[_Node]) -> None:
        self.nodes = nodes

    @property
    def ports(self) -> list[int]:
        """The ports that speak AMQP."""
        return [node.port for node in self.nodes]

    def members(self) -> int:
        """Return how many nodes have joined and run."""
        return int(self.nodes[0].control("eval", "length(rabbit_nodes:all_running()).").strip())

    def leader(self, queue: str) -> ControlledRabbitmq:
        """Return the node that leads a quorum queue.

        Raises:
            LookupError: there is no such queue, or it has no leader.

        """
        for node in self.nodes:
            if node.is_running:
                for line in node.control("list_queues", "name", "leader").splitlines():
                    name, _, leader = line.partition("\t")
                    for candidate in self.nodes:
                        if name == queue and leader == candidate.node:
                            return candidate
        raise LookupError(f"queue {queue!r} has no leader")


@asynccontextmanager
async def cluster(folder: Path) -> AsyncGenerator[Cluster]:
    """Run a cluster for as long as the context lasts."""
    cookie = secrets.token_hex(16)
    nodes: list[_Node] = []
    async with AsyncExitStack() as stack:
        for number in range(1, _SIZE + 1):
            node = _Node(folder / f"node-{number}", cookie, nodes[0] if nodes else None)
            nodes.append(node)
            stack.callback(_end, node)
            await asyncio.to_thread(node.start)
        found = Cluster(nodes)
        if (members := await asyncio.to_thread(found.members)) != _SIZE:
            raise RuntimeError(f"{members} of {_SIZE} nodes of RabbitMQ form a cluster")
        yield found


def _end(node: _Node) -> None:
    # Its data are of no further use, so it need not write them.
    if node.is_running:
        node.kill()
    node.stop()
