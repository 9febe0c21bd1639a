"""Fixtures for all tests. Those that need servers start them only when a test asks for them."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import coverage
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from hatchet_cli.devstack import DevStack, ServerNotInstalledError

# A busy machine may take long for one example, and for drawing it.
settings.register_profile(
    "busy", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Measure no coverage where a test takes the same branches often: it doubles what that costs.

    These are property tests, and those that are marked as ``heavy``.
    """
    is_heavy = is_hypothesis_test(pyfuncitem.obj) or pyfuncitem.get_closest_marker("heavy")
    if coverage.Coverage.current() is None or not is_heavy:
        return (yield)
    measuring = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(measuring)


class Eventually(Protocol):
    """Waits for a condition, and fails the test if it does not come true in time."""

    def __call__(self, condition: Callable[[], object], timeout_s: float = 60) -> None:
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

    def wait(condition: Callable[[], object], timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"still not true after {timeout_s:g} seconds"
            time.sleep(0.02)

    return wait
