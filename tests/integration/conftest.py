"""A Temporal whose jobs do not wait: a wait of days is over in a second."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper, WorkflowEnvironment

from hatchet_cli.devstack import ServerNotInstalledError
from hatchet_cli.devstack.temporal import find_temporal
from hatchet_worker import TemporalSettings, connect


@pytest.fixture(scope="session")
def time_skipping_address() -> Iterator[str]:
    """Return the address of a Temporal that skips time, where a start asks for it."""
    try:
        temporal = find_temporal()
    except ServerNotInstalledError as error:
        if "CI" in os.environ:
            pytest.fail(str(error))
        pytest.skip(str(error))
    with asyncio.Runner() as runner:
        environment = runner.run(
            WorkflowEnvironment.start_time_skipping_v2(
                dev_server_existing_path=temporal,
                dev_server_extra_args=[
                    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
                ],
            )
        )
        yield environment.client.service_client.config.target_host
        runner.run(environment.shutdown())


@pytest.fixture
async def time_skipping_client(time_skipping_address: str) -> Client:
    """Return a client whose jobs skip time, each by a clock of its own.

    The clock of a job leaps to what comes next (the next attempt of a step, a timer, its timeout)
    whenever nothing of it is under way. While a step runs, or waits for a worker, it goes at its
    usual pace: a timeout of a running step takes as long as it says.
    """
    client = await connect(TemporalSettings(address=time_skipping_address))
    return TimeSkipper(client).client
