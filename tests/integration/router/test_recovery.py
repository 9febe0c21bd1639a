"""What somebody deletes on the broker is there again soon; what cannot be settled is given back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aio_pika
import pytest

from hatchet_router.deliveries import Delivery, Outcome, Rejection
from hatchet_router.errors import TemporalUnavailable
from hatchet_router.quarantine import QUARANTINE_RETURNS, SUSPECT_RETURNS
from hatchet_router.rabbitmq import Consumer
from hatchet_router.session import Session
from hatchet_router.settings import RouterSettings
from hatchet_router.testing import ROUTED

NextLetter = Callable[[str], Awaitable[Any]]
MakeConsumer = Callable[..., Consumer]


class Recorder:
    """A handler that remembers the bodies it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle(self, delivery: Delivery) -> Outcome:
        """Remember, and be done."""
        self.bodies.append(delivery.body)
        return ROUTED

    def has(self, body: bytes) -> Callable[[], Awaitable[bool]]:
        """Return a condition: whether there was such a body."""

        async def condition() -> bool:
            return body in self.bodies

        return condition


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after the broker each tick, so that nobody has to wait."""
    monkeypatch.setattr("hatchet_router.upkeep._DECLARE_SECONDS", 0.2)
    monkeypatch.setattr("hatchet_router.upkeep._TICK_SECONDS", 0.1)


@pytest.fixture
def mend_again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Mend nothing on the broker until this is called: what the test breaks stays so meanwhile."""
    mend, may_mend = Session.mend, asyncio.Event()

    async def when_allowed(session: Session) -> None:
        if may_mend.is_set():
            await mend(session)

    monkeypatch.setattr(Session, "mend", when_allowed)
    return may_mend.set


@pytest.fixture
def consumer(settings: RouterSettings, name: str) -> MakeConsumer:
    """Make a consumer of the test's own queue, bound for keys that begin with the test's name."""

    def make(handle: Any, **options: Any) -> Consumer:
        return Consumer(settings.amqp_url, settings.topology, [f"{name}.#"], handle, **options)

    return make


async def published(broker: Any, settings: RouterSettings, key: str, body: bytes) -> bool:
    """Publish, and return whether a queue took it."""
    async with broker.connection.channel(on_return_raises=True) as channel:
        with suppress(aio_pika.exceptions.AMQPError):
            exchange = await channel.get_exchange(settings.exchange, ensure=True)
            await exchange.publish(aio_pika.Message(body), key, mandatory=True)
            return True
    return False


async def delete_queue(channel: Any, settings: RouterSettings, _name: str) -> None:
    await channel.queue_delete(settings.queue)


async def delete_exchange(channel: Any, settings: RouterSettings, _name: str) -> None:
    await channel.exchange_delete(settings.exchange)


async def delete_binding(channel: Any, settings: RouterSettings, name: str) -> None:
    queue = await channel.get_queue(settings.queue)
    await queue.unbind(settings.exchange, f"{name}.#")


async def delete_all(channel: Any, settings: RouterSettings, _name: str) -> None:
    await channel.exchange_delete(settings.exchange)
    await channel.queue_delete(settings.queue)


@pytest.mark.parametrize("delete", [delete_queue, delete_exchange, delete_binding, delete_all])
async def test_what_is_deleted_is_declared_again(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: MakeConsumer,
    until: Any,
    delete: Any,
) -> None:
    """And events are taken as before, without a restart."""
    recorder = Recorder()
    key = f"{name}.x"
    async with consumer(recorder.handle):
        assert await published(broker, settings, key, b"before")
        await until(recorder.has(b"before"))
        async with broker.connection.channel() as channel:
            await delete(channel, settings, name)

        await until(lambda: published(broker, settings, key, b"after"))
        await until(recorder.has(b"after"))


async def test_dead_letters_that_are_deleted_are_declared_again(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: MakeConsumer,
    until: Any,
    mend_again: Callable[[], None],
) -> None:
    """A dead letter waits for them meanwhile, and its event with it."""

    async def reject(delivery: Delivery) -> Outcome:
        return Rejection("test", "because", "e-1")

    async with consumer(reject) as running:
        async with broker.connection.channel() as channel:
            await channel.exchange_delete("hatchet.dead-letters")
        await broker.publish(settings.exchange, f"{name}.x", b"letter")

        async def is_delayed() -> bool:
            return "dead-letters" in running.readiness.troubles

        async def is_settled() -> bool:
            return running.readiness.is_ready

        await until(is_delayed)
        mend_again()
        await until(is_settled)
        assert await broker.waiting("hatchet.dead-letters") > 0


async def test_a_queue_that_comes_back_with_other_arguments_is_told(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: MakeConsumer,
    until: Any,
    mend_again: Callable[[], None],
) -> None:
    """The router is not ready, says what to do, and goes on once it is done."""
    recorder = Recorder()
    async with consumer(recorder.handle) as running:
        async with broker.connection.channel() as channel:
            await channel.exchange_delete(settings.exchange)
            await channel.declare_exchange(settings.exchange, "fanout", durable=True)
        mend_again()

        async def says_so() -> bool:
            return "with other arguments than ours" in running.readiness.troubles.get("queues", "")

        await until(says_so)
        assert not running.readiness.is_ready
        async with broker.connection.channel() as channel:
            await channel.exchange_delete(settings.exchange)

        async def is_ready() -> bool:
            return running.readiness.is_ready

        await until(is_ready)
        await until(lambda: published(broker, settings, f"{name}.x", b"after"))
        await until(recorder.has(b"after"))


async def test_what_is_held_for_too_long_is_given_back_until_it_can_be_settled(
    settings: RouterSettings, name: str, broker: Any, consumer: MakeConsumer, until: Any
) -> None:
    """No more are taken meanwhile, and the count of returns grows by one, however long it takes."""
    is_back = asyncio.Event()
    counts: list[Any] = []

    async def handle(delivery: Delivery) -> Outcome:
        counts.append(delivery.headers.get("x-delivery-count"))
        await is_back.wait()
        return ROUTED

    async def available() -> None:
        await is_back.wait()

    async with consumer(handle, prefetch=3, hold_seconds=2, available=available) as running:
        for number in range(5):
            await broker.publish(settings.exchange, f"{name}.x", b"%d" % number)

        async def is_paused() -> bool:
            return "temporal" in running.readiness.troubles

        await until(is_paused)
        await until(lambda: broker.consumers(settings.queue), 0)
        await until(lambda: broker.waiting(settings.queue), 5)
        is_back.set()
        await until(lambda: broker.waiting(settings.queue), 0)
        await until(lambda: broker.consumers(settings.queue), 1)
        assert running.readiness.is_ready

    assert max(count or 0 for count in counts) == 1


async def test_while_temporal_takes_no_jobs_nothing_is_taken(
    settings: RouterSettings, name: str, broker: Any, consumer: MakeConsumer, until: Any
) -> None:
    """An operator's mistake is not the events' fault: they wait in their queue."""
    mended = asyncio.Event()
    recorder = Recorder()

    async def handle(delivery: Delivery) -> Outcome:
        if not mended.is_set():
            raise TemporalUnavailable("no such namespace")
        return await recorder.handle(delivery)

    async def available() -> None:
        await mended.wait()

    async with consumer(handle, available=available) as running:
        await broker.publish(settings.exchange, f"{name}.x", b"event")

        async def is_paused() -> bool:
            return running.readiness.troubles.get("temporal") == "no such namespace"

        await until(is_paused)
        await until(lambda: broker.waiting(settings.queue), 1)
        mended.set()
        await until(recorder.has(b"event"))


async def test_stopping_while_paused_ends_at_once(
    settings: RouterSettings, name: str, broker: Any, consumer: MakeConsumer, until: Any
) -> None:
    """There is nothing in hand that one could wait for."""

    async def handle(delivery: Delivery) -> Outcome:
        raise TemporalUnavailable("no such namespace")

    async def available() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(30), consumer(handle, available=available) as running:
        await broker.publish(settings.exchange, f"{name}.x", b"event")

        async def is_paused() -> bool:
            return "temporal" in running.readiness.troubles

        await until(is_paused)


async def test_an_error_that_nobody_expected_does_not_leave_it_idle(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: MakeConsumer,
    until: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Client libraries raise more than they say; the next connection is opened all the same."""
    recorder = Recorder()
    consume = Session.consume
    errors = [RuntimeError("Getter is None"), ValueError("Max length exceeded")]

    async def fail_first(session: Session, *arguments: Any) -> None:
        if errors:
            raise errors.pop()
        await consume(session, *arguments)

    async with consumer(recorder.handle) as running:
        assert running._upkeep is not None
        monkeypatch.setattr(Session, "consume", fail_first)
        running._upkeep._session._end("as if it were lost")
        await broker.publish(settings.exchange, f"{name}.x", b"after")
        await until(recorder.has(b"after"))

        assert errors == []
        assert running.readiness.is_ready


async def return_all(broker: Any, queue: str, times: int) -> None:
    """Take all messages and give them back unsettled, as a router does that is killed."""
    for _ in range(times):
        channel = await broker.connection.channel()
        await channel.set_qos(prefetch_count=100)
        target = await channel.get_queue(queue)
        async with asyncio.timeout(30), target.iterator() as messages:
            await anext(messages)
            await channel.close()


async def test_a_message_that_comes_back_again_and_again_is_handled_alone(
    settings: RouterSettings, name: str, broker: Any, consumer: MakeConsumer, until: Any
) -> None:
    """So that it takes no neighbour along, if it does kill its router."""
    at_once: list[int] = []
    in_hand = 0

    async def handle(delivery: Delivery) -> Outcome:
        nonlocal in_hand
        in_hand += 1
        await asyncio.sleep(0.05)
        if delivery.redelivered:
            at_once.append(in_hand)
        in_hand -= 1
        return ROUTED

    async with consumer(handle):
        pass
    for number in range(5):
        await broker.publish(settings.exchange, f"{name}.x", b"%d" % number)
    await return_all(broker, settings.queue, SUSPECT_RETURNS)

    async with consumer(handle):

        async def all_handled() -> bool:
            return len(at_once) == 5

        await until(all_handled)

    assert at_once == [1] * 5


async def test_a_message_that_kills_its_router_each_time_is_put_aside(
    settings: RouterSettings,
    name: str,
    broker: Any,
    consumer: MakeConsumer,
    next_letter: NextLetter,
    until: Any,
) -> None:
    """After so many times it is not looked at any more; a forged count puts nothing aside."""
    recorder = Recorder()
    async with consumer(recorder.handle):
        pass
    await broker.publish(settings.exchange, f"{name}.poison", b"poison", message_id="e-1")
    await until(lambda: broker.waiting(settings.queue), 1)
    await return_all(broker, settings.queue, QUARANTINE_RETURNS)
    await broker.publish(
        settings.exchange, f"{name}.x", b"forged", headers={"x-delivery-count": 1000}
    )

    async with consumer(recorder.handle):
        letter = await next_letter(f"{name}.poison")
        await until(recorder.has(b"forged"))

    assert recorder.bodies == [b"forged"]
    assert letter.headers["hatchet-reason"] == "quarantined"
    assert letter.message_id == "e-1"
