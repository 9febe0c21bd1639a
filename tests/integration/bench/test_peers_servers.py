"""What the peers' runner starts for real."""

from __future__ import annotations

import pytest

from bench.peers.measuring import Amounts
from bench.peers.roster import PEERS
from bench.peers.running import report_of
from bench.peers.servers import PostgresServer, RedisServer, StateServer
from hatchet_cli.devstack import DevStack, ServerNotInstalledError


async def test_hatchet_itself_does_the_job(stack: DevStack) -> None:
    """Events go in, and the results that come out are right."""
    addresses = {"amqp": stack.rabbitmq.amqp_url, "temporal": stack.temporal.address}

    report = await report_of(PEERS[0], addresses, Amounts(jobs=5, rounds=1, singles=2), 200)

    assert (report.jobs, len(report.singles)) == (5, 2)


@pytest.mark.parametrize("kind", [RedisServer, PostgresServer])
def test_a_server_that_is_installed_serves(kind: type[StateServer]) -> None:
    """`start` returns when it answers; nothing of it is left after `stop`."""
    server = kind()
    try:
        server.start()
    except ServerNotInstalledError as error:
        pytest.skip(str(error))
    log = server.log_path
    assert server.authority.rpartition(":")[2].isdecimal()
    assert server.is_running

    server.stop()

    assert not log.parent.exists()
