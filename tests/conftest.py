"""Fixtures for all tests. Those that need servers start them only when a test asks for them."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from hatchet_cli.devstack import DevStack, ServerNotInstalledError


class Eventually(Protocol):
    """Waits for a condition, and fails the test if it does not come true in time."""

    def __call__(self, condition: Callable[[], object], timeout_s: float = 10) -> None:
        """Return as soon as `condition` holds, within `timeout_s` seconds."""


@pytest.fixture(scope="session")
def stack() -> Iterator[DevStack]:
    """One RabbitMQ and one Temporal for the whole run: tests share them and leave them running.

    A test that kills, pauses or fills a server starts one of its own.
    """
    servers = DevStack()
    try:
        servers.start()
    except ServerNotInstalledError as error:
        if "CI" in os.environ:
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Wait until a condition holds, instead of sleeping."""

    def wait(condition: Callable[[], object], timeout_s: float = 10) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"still not true after {timeout_s:g} seconds"
            time.sleep(0.02)

    return wait
