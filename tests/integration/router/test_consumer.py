"""The consumer on a real broker: what it holds, what it gives back, what it puts aside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest

from hatchet_router import BrokerError
from hatchet_router.deliveries import Delivery, Outcome, Rejection
from hatchet_router.rabbitmq import Consumer
from hatchet_router.settings import RouterSettings
from hatchet_router.testing import ROUTED

NextLetter = Callable[[str], Awaitable[Any]]


class Hands:
    """A handler whose deliveries stay in hand until they may finish."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.finished: list[bytes] = []
        self.cancelled: list[bytes] = []
        self.may_finish = asyncio.Event()

    async def handle(self, delivery: Delivery) -> Outcome:
        """Hold the delivery."""
        self.taken.append(delivery.body)
        try:
            await self.may_finish.wait()
        except asyncio.CancelledError:
            self.cancelled.append(delivery.body)
            raise
        self.finished.append(delivery.body)
        return ROUTED


@pytest.fixture
def consumer(settings: RouterSettings, name: str) -> Callable[..., Consumer]:
    """Make a consumer of the test's own queue, bound for keys that begin with the test's name."""

    def make(handle: Any, **options: Any) -> Consumer:
        return Consumer(settings.amqp_url, settings.topology, [f"{name}.#"], handle, **options)

    return make


@asynccontextmanager
async def in_a_task(consumer: Consumer) -> AsyncIterator[asyncio.Event]:
    """Run a consumer until the event is set that this gives, or the context is left."""
    opened, leave = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with consumer:
            opened.set()
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        await opened.wait()
        try:
            yield leave
        finally:
            leave.set()


async def test_stopping_takes_no_more_and_finishes_what_is_in_hand(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, until: Any
) -> None:
    """What was not in hand is for the next router."""
    hands = Hands()

    async with in_a_task(consumer(hands.handle, prefetch=2)) as leave:
        for number in range(5):
            await broker.publish(settings.exchange, f"{name}.x", b"%d" % number)
        await until(lambda: broker.waiting(settings.queue), 2)
        leave.set()
        await broker.waiting(settings.queue)  # what is sent meanwhile is sent before the rest
        assert hands.finished == []
        hands.may_finish.set()

    assert hands.finished == hands.taken == [b"0", b"1", b"2"]
    assert hands.cancelled == []
    assert await broker.waiting(settings.queue) == 2


async def test_what_is_not_finished_in_time_comes_back(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, until: Any
) -> None:
    """The handlers are cancelled, and nothing of theirs is acknowledged."""
    hands = Hands()

    async with in_a_task(consumer(hands.handle, prefetch=2, grace_seconds=0.1)):
        for number in range(4):
            await broker.publish(settings.exchange, f"{name}.x", b"%d" % number)
        await until(lambda: broker.waiting(settings.queue), 1)

    assert sorted(hands.cancelled) == [b"0", b"1", b"2"]
    assert await until(lambda: broker.waiting(settings.queue), 4)
    again = Hands()
    again.may_finish.set()
    async with in_a_task(consumer(again.handle)):

        async def all_taken() -> bool:
            return len(again.finished) == 4

        await until(all_taken)
    assert sorted(again.finished) == [b"0", b"1", b"2", b"3"]
    assert await broker.waiting(settings.queue) == 0


async def test_what_arrives_while_stopping_is_finished_or_comes_back(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, until: Any
) -> None:
    """Under load, at whatever moment it stops."""
    finished: list[bytes] = []

    async def handle(delivery: Delivery) -> Outcome:
        await asyncio.sleep(0)
        finished.append(delivery.body)
        return ROUTED

    count = 400
    async with in_a_task(consumer(handle, prefetch=50)) as leave:
        channel = await broker.connection.channel()
        exchange = await channel.get_exchange(settings.exchange)

        async def publish(number: int) -> None:
            await exchange.publish(aio_pika.Message(b"%d" % number), f"{name}.x")

        publishing = asyncio.gather(*(publish(number) for number in range(count)))

        async def under_way() -> bool:
            return len(finished) > 20

        await until(under_way)
        leave.set()
        await publishing

    assert len(finished) == len(set(finished))
    waiting = count - len(finished)
    assert await until(lambda: _is(broker.waiting(settings.queue), waiting))


async def _is(found: Awaitable[int], expected: int) -> bool:
    return await found == expected


async def test_a_fault_in_the_handler_is_one_dead_letter_and_the_consumer_goes_on(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, next_letter: NextLetter
) -> None:
    """The event is kept, with the fault as the reason."""

    async def handle(delivery: Delivery) -> Outcome:
        raise RuntimeError(f"cannot {delivery.body.decode()} \ud800")

    async with in_a_task(consumer(handle)):
        for body in (b"this", b"that"):
            await broker.publish(settings.exchange, f"{name}.x", body)
        letters = [await next_letter(f"{name}.x") for _ in range(2)]

    assert {letter.headers["hatchet-detail"] for letter in letters} == {
        "RuntimeError: cannot this \\ud800",
        "RuntimeError: cannot that \\ud800",
    }
    assert {letter.headers["hatchet-reason"] for letter in letters} == {"router-error"}
    assert await broker.waiting(settings.queue) == 0


async def reject(_: Delivery) -> Outcome:
    """Reject anything."""
    return Rejection("test", "because", "id")


async def test_headers_of_every_kind_are_kept(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, next_letter: NextLetter
) -> None:
    """As AMQP has them, not as text."""
    headers = {
        "text": "x",
        "bytes": b"\xff\x00",
        "small": -7,
        "large": 2**62,
        "none": None,
        "yes": True,
        "list": [1, "a", {"z": None}],
        "map": {"a": {"b": 1}},
        "": "no name",
    }

    async with in_a_task(consumer(reject)):
        await broker.publish(settings.exchange, f"{name}.x", b"", headers=headers)
        letter = await next_letter(f"{name}.x")

    kept = {key: value for key, value in letter.headers.items() if not key.startswith("hatchet-")}
    assert kept == headers


async def test_headers_that_leave_no_room_for_the_reason_are_left_out(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: Any,
    next_letter: NextLetter,
) -> None:
    """A letter that is larger than what we read would be no use to anyone."""
    async with in_a_task(consumer(reject)):
        await broker.publish(
            settings.exchange, f"{name}.x", b"body", headers={"h": "x" * 24_500}, message_id="m"
        )
        await broker.publish(settings.exchange, f"{name}.y", b"neighbour")
        large = await next_letter(f"{name}.x")
        neighbour = await next_letter(f"{name}.y")

    assert (large.body, large.message_id) == (b"body", "id")
    assert large.headers["hatchet-reason"] == "test"
    assert large.headers["hatchet-lost"] == "headers"
    assert "h" not in large.headers
    assert "hatchet-lost" not in neighbour.headers
    assert await broker.waiting(settings.queue) == 0


async def test_an_expiring_event_does_not_expire_as_a_dead_letter(
    settings: RouterSettings, name: str, broker: Any, consumer: Any, next_letter: NextLetter
) -> None:
    """Dead letters are kept until somebody looks."""
    async with in_a_task(consumer(reject)):
        await broker.publish(settings.exchange, f"{name}.x", b"", expiration="60000")
        letter = await next_letter(f"{name}.x")

    assert letter.expiration is None


async def test_a_queue_with_other_arguments_is_an_error_that_says_so(
    settings: RouterSettings, broker: Any, consumer: Any
) -> None:
    """As after an upgrade: with the way out."""
    channel = await broker.connection.channel()
    await channel.declare_queue(settings.queue, durable=True, arguments={"x-queue-type": "quorum"})

    with pytest.raises(BrokerError, match="with other arguments than ours") as caught:
        async with consumer(reject):
            pass
    assert settings.queue in str(caught.value)
    assert "HATCHET_QUEUE" in str(caught.value)


async def test_an_exchange_of_another_kind_is_an_error_that_says_so(
    settings: RouterSettings, broker: Any, consumer: Any
) -> None:
    """It would route by other rules."""
    channel = await broker.connection.channel()
    await channel.declare_exchange(settings.exchange, "fanout", auto_delete=True)

    with pytest.raises(BrokerError, match="with other arguments than ours"):
        async with consumer(reject):
            pass


async def test_an_exchange_of_others_that_is_missing_is_an_error_that_says_so(
    settings: RouterSettings, name: str
) -> None:
    """It is not ours to declare."""
    more = settings.model_copy(update={"more_exchanges": (f"{name}.missing",)})

    with pytest.raises(BrokerError, match="HATCHET_MORE_EXCHANGES must exist") as caught:
        async with Consumer(settings.amqp_url, more.topology, ["a"], reject):
            pass
    assert f"{name}.missing" in str(caught.value)


async def test_of_many_bindings_the_one_that_is_refused_is_told(
    settings: RouterSettings, name: str
) -> None:
    """They are asked for all at once, and the broker answers for none but the last."""
    more = settings.model_copy(update={"more_exchanges": (f"{name}.a-missing",)})
    keys = [f"key{number}" for number in range(200)]

    with pytest.raises(BrokerError, match="HATCHET_MORE_EXCHANGES must exist") as caught:
        async with Consumer(settings.amqp_url, more.topology, keys, reject):
            pass
    assert f"{name}.a-missing" in str(caught.value)


async def test_a_queue_that_another_connection_has_for_itself_is_an_error_that_says_so(
    settings: RouterSettings, broker: Any, consumer: Any
) -> None:
    """Whatever the broker refuses, its words are passed on."""
    channel = await broker.connection.channel()
    await channel.declare_queue(settings.queue, exclusive=True)

    with pytest.raises(BrokerError, match="did not let the router prepare its queues"):
        async with consumer(reject):
            pass
