"""Connections to RabbitMQ: what fails before there is a broker."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from hatchet_router import BrokerUnreachable, amqp
from hatchet_router.amqp import closing_is_an_error, connect


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Listen at a port where nobody ever answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def nothing_goes_on() -> None:
    """Let what is being closed end, after which nothing else may run."""
    async with asyncio.timeout(30):
        while asyncio.all_tasks() != {asyncio.current_task()}:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:5672",
        "http://localhost/",
        "amqp://",
        "amqp:///vhost",
        "amqp://u:secret@[::1/",
    ],
)
async def test_what_is_no_address_is_refused(url: str) -> None:
    """With the form that is expected, and without a password."""
    with pytest.raises(BrokerUnreachable, match="expected amqp") as caught:
        await connect(url, "test")
    assert "secret" not in str(caught.value)


async def test_a_port_that_is_no_number_is_refused() -> None:
    """As any other broken address."""
    with pytest.raises(BrokerUnreachable):
        await connect("amqp://u:p@localhost:port/", "test")


async def test_a_port_where_nothing_listens_is_named() -> None:
    """With what to try."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(BrokerUnreachable, match="start RabbitMQ") as caught:
            await connect(f"amqp://guest:guest@127.0.0.1:{port}/", "test")
    assert caught.value.address == f"amqp://127.0.0.1:{port}/"


async def test_an_unknown_host_is_named() -> None:
    """The name of the host is the usual mistake."""
    with pytest.raises(BrokerUnreachable, match="name is not known"):
        await connect("amqp://no-such-host.invalid/", "test")


async def test_nothing_goes_on_after_a_broker_has_not_answered(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who tries again would otherwise have one more connection each time."""
    monkeypatch.setattr(amqp, "_CONNECT_TIMEOUT_SECONDS", 0.1)

    with pytest.raises(BrokerUnreachable, match="no answer within"):
        await connect(f"amqp://127.0.0.1:{silent_port}/", "test")

    await nothing_goes_on()


async def test_nothing_goes_on_after_the_caller_was_cancelled(silent_port: int) -> None:
    """The same for a caller with a time limit of its own."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connect(f"amqp://127.0.0.1:{silent_port}/", "test")

    await nothing_goes_on()


async def test_a_call_that_a_closed_connection_cancels_fails() -> None:
    """Nobody has cancelled the task that called."""
    call = asyncio.get_running_loop().create_future()
    call.set_exception(asyncio.CancelledError())

    with pytest.raises(ConnectionError, match="was closed"), closing_is_an_error():
        await call


async def test_a_task_that_is_cancelled_stays_so() -> None:
    """Shutting down must not look like a lost connection."""

    async def call() -> None:
        with closing_is_an_error():
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
async def test_a_cancellation_that_a_library_loses_is_raised(error: Exception | None) -> None:
    async def loses_it() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if error is not None:
                raise error from None

    async def call() -> None:
        with suppress(ConnectionError), closing_is_an_error():
            await loses_it()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_a_call_that_loses_it_is_a_timeout() -> None:
    async def call() -> None:
        async with asyncio.timeout(0):
            with closing_is_an_error(), suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await call()


async def test_a_timeout_within_a_call_is_no_cancellation() -> None:
    with closing_is_an_error(), suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(60)
