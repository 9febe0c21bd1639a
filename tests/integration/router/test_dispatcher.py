"""Publishing to a real broker: what is returned was stored, and everything else is an error."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest

from hatchet_cli.devstack import DevStack
from hatchet_router import (
    BlockingDispatcher,
    BrokerError,
    Dispatcher,
    EventRefused,
    EventUnroutable,
    InvalidEvent,
)


@pytest.fixture
def url(stack: DevStack) -> str:
    """Return the address of the shared broker."""
    return stack.rabbitmq.amqp_url


@pytest.fixture
async def exchange(name: str, broker: Any) -> str:
    """Declare an exchange of the test's own."""
    async with broker.connection.channel() as channel:
        await channel.declare_exchange(name, "topic", durable=True)
    return name


@pytest.fixture
async def queue(exchange: str, broker: Any) -> Any:
    """Bind a queue for ``user:create``."""
    return await broker.queue(exchange, "user:create")


async def test_an_event_is_stored_when_trigger_returns(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """Persistent, as JSON, under the id that is returned."""
    async with Dispatcher(url, exchange=exchange) as dispatcher:
        event_id = await dispatcher.trigger(
            "user:create", {"name": "Åda"}, time=datetime(2026, 1, 2, tzinfo=UTC)
        )

    message = await queue.get(no_ack=True)
    assert message.body.decode() == '{"name":"Åda"}'
    assert message.message_id == event_id
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert message.content_type == "application/json"
    assert message.timestamp == datetime(2026, 1, 2, tzinfo=UTC)


async def test_an_id_of_the_callers_own_is_used(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """It is what makes a repeated call harmless."""
    async with Dispatcher(url, exchange=exchange) as dispatcher:
        assert await dispatcher.trigger("user:create", {}, id="ü" * 127) == "ü" * 127

    assert (await queue.get(no_ack=True)).message_id == "ü" * 127


async def test_many_events_at_once_each_get_their_own_answer(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """Confirms are never credited to another event, not even to one with the same id."""
    async with Dispatcher(url, exchange=exchange) as dispatcher:
        answers = await asyncio.gather(
            *(
                dispatcher.trigger(key, {}, id=f"id-{number % 10}")
                for number in range(100)
                for key in ("user:create", "nobody:wants")
            ),
            return_exceptions=True,
        )

    assert [answer for answer in answers[::2] if isinstance(answer, BaseException)] == []
    assert {type(answer) for answer in answers[1::2]} == {EventUnroutable}
    assert await broker.waiting(queue.name) == 100


async def test_an_event_that_nobody_wants_is_an_error(url: str, exchange: str) -> None:
    """It would vanish."""
    async with Dispatcher(url, exchange=exchange) as dispatcher:
        with pytest.raises(EventUnroutable, match="no queue is bound for this key") as caught:
            await dispatcher.trigger("user:create", {}, id="e-1")

    assert (caught.value.key, caught.value.event_id) == ("user:create", "e-1")
    assert isinstance(caught.value, LookupError)


async def test_an_event_that_a_full_queue_refuses_is_an_error(
    url: str, exchange: str, broker: Any
) -> None:
    """A queue that rejects what does not fit makes the broker say no."""
    channel = await broker.connection.channel()
    full = await channel.declare_queue(
        exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
    )
    await full.bind(exchange, "a")

    async with Dispatcher(url, exchange=exchange) as dispatcher:
        # The queue counts now and then, so that a few more than one fit.
        answers = await asyncio.gather(
            *(dispatcher.trigger("a", {}, id=f"e-{number}") for number in range(9)),
            return_exceptions=True,
        )

    refusals = [answer for answer in answers if isinstance(answer, EventRefused)]
    assert answers[0] == "e-0"
    assert answers[-1] is refusals[-1]
    assert refusals[-1].event_id == "e-8"
    assert "basic.nack" in refusals[-1].reason
    assert not isinstance(refusals[-1], EventUnroutable)


async def test_a_missing_exchange_is_an_error_that_says_so(url: str, name: str) -> None:
    """At once, since waiting does not mend it, and again until somebody declares it."""
    async with Dispatcher(url, exchange=name) as dispatcher:
        for _ in range(2):
            with pytest.raises(BrokerError, match=f"exchange '{name}' does not exist; a router"):
                await dispatcher.trigger("a", {})


async def test_a_deleted_exchange_is_noticed_and_so_is_its_return(
    url: str, exchange: str, broker: Any
) -> None:
    """The channel that the broker closed is not used again."""
    async with Dispatcher(url, exchange=exchange) as dispatcher:
        queue = await broker.queue(exchange, "a")
        await dispatcher.trigger("a", {})
        async with broker.connection.channel() as channel:
            await channel.exchange_delete(exchange)

        answers = await asyncio.gather(
            *(dispatcher.trigger("a", {}) for _ in range(20)), return_exceptions=True
        )

        assert {type(answer) for answer in answers} == {BrokerError}
        async with broker.connection.channel() as channel:
            await channel.declare_exchange(exchange, "topic", durable=True)
        await queue.bind(exchange, "a")
        await dispatcher.trigger("a", {})
    assert await broker.waiting(queue.name) == 2


async def test_closing_fails_no_event_that_is_on_its_way(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """Nobody has cancelled those calls; they go on with a new connection."""
    dispatcher = Dispatcher(url, exchange=exchange)
    await dispatcher.trigger("user:create", {})
    calls = [asyncio.create_task(dispatcher.trigger("user:create", {})) for _ in range(50)]
    await asyncio.sleep(0)

    await dispatcher.close()

    assert len(set(await asyncio.gather(*calls))) == 50
    await dispatcher.close()


def test_one_dispatcher_can_be_used_in_one_event_loop_after_another(stack: DevStack) -> None:
    """As by a script, or a test suite, that calls ``asyncio.run`` more than once."""
    url = stack.rabbitmq.amqp_url
    dispatcher = Dispatcher(url, exchange="amq.topic", timeout=30)

    async def trigger() -> None:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind("amq.topic", "loops")
            await dispatcher.trigger("loops", {})
            assert (await queue.get(no_ack=True)).body == b"{}"
            await dispatcher.close()

    asyncio.run(trigger())
    asyncio.run(trigger())


async def test_threads_share_a_blocking_dispatcher(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """As the workers of a web server do."""

    def publish() -> set[str]:
        with (
            BlockingDispatcher(url, exchange=exchange) as dispatcher,
            ThreadPoolExecutor(8) as pool,
        ):
            return set(pool.map(lambda n: dispatcher.trigger("user:create", {"n": n}), range(80)))

    assert len(await asyncio.to_thread(publish)) == 80
    assert await broker.waiting(queue.name) == 80
    assert "hatchet-dispatcher" not in {thread.name for thread in threading.enumerate()}


async def test_a_blocking_dispatcher_raises_what_the_other_does(
    url: str, exchange: str, name: str
) -> None:
    """The same errors, in the thread that called."""

    def publish() -> None:
        with BlockingDispatcher(url, exchange=exchange) as dispatcher:
            with pytest.raises(EventUnroutable):
                dispatcher.trigger("nobody:wants", {})
            with pytest.raises(InvalidEvent):
                dispatcher.trigger("a b", {})
        with (
            BlockingDispatcher(url, exchange=f"{name}.missing") as dispatcher,
            pytest.raises(BrokerError, match="does not exist"),
        ):
            dispatcher.trigger("a", {})

    await asyncio.to_thread(publish)


async def test_closing_a_blocking_dispatcher_lets_other_threads_finish(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """None of them may wait forever for a loop that has ended; the next event begins anew."""
    dispatcher = BlockingDispatcher(url, exchange=exchange)
    done: list[str] = []

    def publish() -> None:
        done.extend(dispatcher.trigger("user:create", {}) for _ in range(50))

    def publish_and_close() -> None:
        threads = [threading.Thread(target=publish, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            dispatcher.close()
        dispatcher.close()
        dispatcher.close()

    async with asyncio.timeout(30):
        await asyncio.to_thread(publish_and_close)
    assert len(done) == 200
    assert await broker.waiting(queue.name) == 200


FORKING = """
import os, sys
from hatchet_router import BlockingDispatcher

url, exchange = sys.argv[1:]
dispatcher = BlockingDispatcher(url, exchange=exchange, timeout=30)
dispatcher.trigger("user:create", {"by": "parent, before"})
children = []
for number in range(3):
    with dispatcher._own.guard:  # as if another thread were publishing just now
        pid = os.fork()
    if not pid:
        dispatcher.trigger("user:create", {"by": f"child {number}"})
        if number == 2:
            grandchild = os.fork()
            if not grandchild:
                dispatcher.trigger("user:create", {"by": "grandchild"})
                os._exit(0)
            assert os.waitpid(grandchild, 0)[1] == 0
            dispatcher.trigger("user:create", {"by": "child 2, after"})
        dispatcher.close()
        os._exit(0)
    children.append(pid)
    dispatcher.trigger("user:create", {"by": f"parent, with child {number}"})
assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
dispatcher.trigger("user:create", {"by": "parent, after"})
dispatcher.close()
"""


async def test_a_forked_process_publishes_by_itself(
    url: str, exchange: str, queue: Any, broker: Any
) -> None:
    """Web servers load the application first, and fork then."""
    ignore = "ignore:This process:DeprecationWarning"  # Python 3.12's advice on forks with threads

    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-W", ignore, "-c", FORKING, url, exchange],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")
    published = [
        (await queue.get(no_ack=True)).body.decode()
        for _ in range(await broker.waiting(queue.name))
    ]
    assert len(published) == len(set(published)) == 10


def test_publishing_loads_nothing_for_workflows() -> None:
    """An application that only publishes pays for no more than that."""
    code = """
import sys
from hatchet_router import BlockingDispatcher, Dispatcher
assert not {"temporalio", "jinja2", "yaml", "hatchet_worker", "hatchet_cli"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
