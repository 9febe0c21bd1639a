"""What a worker is made of; nothing here connects to anything."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hatchet_worker import (
    EnvironmentSecrets,
    Integration,
    IntegrationError,
    TemporalSettings,
    TemporalUnreachable,
    Worker,
    WorkerError,
    action,
)


class Echo(Integration):
    """Says what it is told."""

    id = "echo"

    @action("say")
    async def say(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``data``."""
        return data


@pytest.fixture
def nowhere() -> Iterator[TemporalSettings]:
    """Return settings of an address where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield TemporalSettings(address=f"127.0.0.1:{unused.getsockname()[1]}")


def test_it_serves_the_default_queue() -> None:
    """The one of all jobs that name none."""
    worker = Worker([Echo()])

    assert worker.queues == ("default",)
    assert list(worker.registry) == ["echo:say"]


def test_a_queue_named_twice_is_served_once() -> None:
    """Twice would only double its share of the process."""
    assert Worker([Echo()], ["internal", "default", "internal"]).queues == ("internal", "default")


@pytest.mark.parametrize(
    ("queues", "message"),
    [
        ([], "queues is empty"),
        ("internal", r"queues is the text 'internal': expected a list, \['internal'\]"),
        (["in ternal"], "expected names of letters, digits"),
        ([""], "expected names of letters, digits"),
    ],
)
def test_queues_that_no_job_can_name_are_refused(queues: Sequence[str], message: str) -> None:
    """Such a worker would wait for ever."""
    with pytest.raises(WorkerError, match=message):
        Worker([Echo()], queues)


def test_numbers_out_of_range_are_refused() -> None:
    """Here, not deep inside temporalio."""
    with pytest.raises(WorkerError, match="max_concurrent_steps is 0"):
        Worker([Echo()], max_concurrent_steps=0)
    with pytest.raises(WorkerError, match="grace_seconds is -1"):
        Worker([Echo()], grace_seconds=-1)


def test_what_is_wrong_with_an_integration_shows_at_once() -> None:
    """Before anything is connected."""
    with pytest.raises(IntegrationError, match="claimed twice"):
        Worker([Echo(), Echo()])


@pytest.mark.parametrize("provider", ["TOKEN", {"TOKEN": "t0ken"}, EnvironmentSecrets])
def test_what_is_no_provider_of_secrets_is_refused(provider: Any) -> None:
    """Without showing it: it may hold the secrets."""
    with pytest.raises(WorkerError, match="expected functions, or objects such as") as caught:
        Worker([Echo()], secrets=[provider])
    assert "t0ken" not in str(caught.value)


def test_start_raises_what_keeps_it_from_connecting(nowhere: TemporalSettings) -> None:
    """A thread's error must not be lost, and stop() is still allowed."""
    worker = Worker([Echo()], temporal=nowhere)

    with pytest.raises(TemporalUnreachable, match="nothing is listening there"):
        worker.start()

    worker.stop()


def test_run_raises_what_keeps_it_from_connecting(nowhere: TemporalSettings) -> None:
    """The caller decides about the exit code."""
    with pytest.raises(TemporalUnreachable):
        Worker([Echo()], temporal=nowhere).run()


async def test_entering_raises_what_keeps_it_from_connecting(nowhere: TemporalSettings) -> None:
    """The body does not run."""
    with pytest.raises(TemporalUnreachable):
        async with Worker([Echo()], temporal=nowhere):
            pytest.fail("not reached")


def test_stopping_what_does_not_run_is_harmless() -> None:
    """Clean-up code need not know how far things got."""
    worker = Worker([Echo()])

    worker.stop()
    worker.interrupt()
