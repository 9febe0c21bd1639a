"""A broker or a Temporal that goes away and comes back."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from temporalio.client import Client

from hatchet_cli.devstack import DevStack, RabbitmqServer, TemporalServer
from hatchet_router import BlockingDispatcher, BrokerUnreachable, Dispatcher, amqp
from hatchet_router.deliveries import Delivery, Outcome, Rejection
from hatchet_router.rabbitmq import Consumer
from hatchet_router.session import Session
from hatchet_router.settings import RouterSettings
from hatchet_router.testing import ROUTED
from hatchet_router.topology import Topology
from hatchet_schemas import Definition


@pytest.fixture
def temporal(stack: DevStack) -> Iterator[TemporalServer]:
    """Start a Temporal that the test may break."""
    with TemporalServer(headless=True) as server:
        yield server


@pytest.fixture
async def paused(rabbitmq: RabbitmqServer) -> AsyncIterator[Callable[[], None]]:
    """Freeze the broker when called, and let it go on when the test ends."""
    yield rabbitmq.pause
    rabbitmq.resume()


class Recorder:
    """A handler that remembers what it was given, and holds one event the first time."""

    def __init__(self, hold: str | None = None) -> None:
        self.handled: list[str] = []
        self.held: list[Delivery] = []
        self._hold = hold

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle or hold the delivery."""
        if delivery.message_id == self._hold and not self.held:
            self.held.append(delivery)
            await asyncio.Event().wait()
        self.handled.append(delivery.message_id or "")
        return ROUTED

    async def has_held(self) -> bool:
        """Return whether something is held."""
        return bool(self.held)


async def test_a_restarted_broker_loses_nothing(
    rabbitmq: RabbitmqServer, topology: Topology, until: Any
) -> None:
    """Consumer and dispatchers reconnect; what was in hand comes again; what is published waits."""
    recorder = Recorder(hold="held")
    url = rabbitmq.amqp_url
    during = [f"during {number}" for number in range(20)]
    blocking = BlockingDispatcher(url, exchange=topology.exchange, timeout=90)

    async with (
        Consumer(url, topology, ["a"], recorder.handle),
        Dispatcher(url, exchange=topology.exchange, timeout=90) as dispatcher,
        asyncio.TaskGroup() as group,
    ):
        await dispatcher.trigger("a", {}, id="before")
        await asyncio.to_thread(blocking.trigger, "a", {}, id="before, blocking")
        await dispatcher.trigger("a", {}, id="held")
        await until(recorder.has_held)
        restart = group.create_task(asyncio.to_thread(rabbitmq.restart))

        async def is_away() -> bool:
            return restart.done() or not rabbitmq.is_running

        await until(is_away)
        for event_id in during:
            group.create_task(dispatcher.trigger("a", {}, id=event_id))
        await asyncio.to_thread(blocking.trigger, "a", {}, id="during, blocking")
        await restart
        await dispatcher.trigger("a", {}, id="after")
        await asyncio.to_thread(blocking.close)
        expected = {"before", "before, blocking", "held", *during, "during, blocking", "after"}

        async def all_handled() -> bool:
            return set(recorder.handled) >= expected

        await until(all_handled)

    assert set(recorder.handled) == expected
    assert [delivery.redelivered for delivery in recorder.held] == [False]


async def test_stopping_while_the_broker_is_away_takes_no_longer_than_that(
    stack: DevStack, topology: Topology, until: Any
) -> None:
    """What was in hand cannot be acknowledged any more: there is nothing to wait for."""
    with RabbitmqServer() as broker:
        handle, exits = Recorder().handle, AsyncExitStack()
        consumer = Consumer(broker.amqp_url, topology, ["a"], handle, grace_seconds=300)
        async with exits:
            await exits.enter_async_context(consumer)
            await asyncio.to_thread(broker.kill)

            async def is_lost() -> bool:
                return not consumer.readiness.is_ready

            await until(is_lost)
            async with asyncio.timeout(60):
                await exits.aclose()


async def test_stopping_while_the_broker_is_frozen_ends_in_time(
    rabbitmq: RabbitmqServer, topology: Topology, paused: Callable[[], None]
) -> None:
    """It waits for an answer as long as it was told to, and no longer."""
    handle, exits = Recorder().handle, AsyncExitStack()
    consumer = Consumer(rabbitmq.amqp_url, topology, ["a"], handle, grace_seconds=0.5)
    async with exits:
        await exits.enter_async_context(consumer)
        paused()
        async with asyncio.timeout(60):
            await exits.aclose()


async def test_a_frozen_broker_is_given_up_in_time_and_used_again_afterwards(
    rabbitmq: RabbitmqServer,
    name: str,
    paused: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its port is open, and nobody answers: the caller's timeout counts, not the network's."""
    monkeypatch.setattr(amqp, "_CONNECT_TIMEOUT_SECONDS", 300)
    monkeypatch.setattr("hatchet_router.dispatcher._CONFIRM_SECONDS", 300)
    topology = Topology(exchange=f"{name}.events", queue=f"{name}.router")
    async with (
        Consumer(rabbitmq.amqp_url, topology, ["a"], Recorder().handle),
        Dispatcher(rabbitmq.amqp_url, exchange=topology.exchange, timeout=5) as dispatcher,
    ):
        await dispatcher.trigger("a", {})
        paused()
        async with asyncio.timeout(60):
            with pytest.raises(BrokerUnreachable, match="did not take the event in 5 s"):
                await dispatcher.trigger("a", {})
            with pytest.raises(BrokerUnreachable):
                await Dispatcher(rabbitmq.amqp_url, timeout=1).trigger("a", {})
        rabbitmq.resume()
        await dispatcher.trigger("a", {})


async def test_a_connection_that_is_given_up_for_dead_fails_no_event(
    rabbitmq: RabbitmqServer,
    topology: Topology,
    paused: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    until: Any,
) -> None:
    """Missing heartbeats end it under the calls that wait for their confirm, cancelling them."""
    monkeypatch.setattr(amqp, "_HEARTBEAT_SECONDS", 1)
    recorder = Recorder()
    async with (
        Consumer(rabbitmq.amqp_url, topology, ["a"], recorder.handle),
        Dispatcher(rabbitmq.amqp_url, exchange=topology.exchange, timeout=90) as dispatcher,
    ):
        await dispatcher.trigger("a", {}, id="before")
        connection = dispatcher._connection
        assert connection is not None
        paused()
        calls = [
            asyncio.create_task(dispatcher.trigger("a", {}, id=f"during {number}"))
            for number in range(5)
        ]

        async def is_lost() -> bool:
            return not connection.connected.is_set()

        await until(is_lost)
        rabbitmq.resume()
        assert await asyncio.gather(*calls) == [f"during {number}" for number in range(5)]


async def test_a_dead_letter_outlives_the_connection_it_is_published_on(
    rabbitmq: RabbitmqServer,
    topology: Topology,
    paused: Callable[[], None],
    broker: Any,
    until: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be lost while the other one lives, which is not the event's last hour."""
    taken, may_finish = asyncio.Event(), asyncio.Event()
    sessions: list[Session] = []
    publish = Session.publish

    async def noticed(session: Session, *letter: Any) -> None:
        sessions.append(session)
        await publish(session, *letter)

    monkeypatch.setattr(Session, "publish", noticed)

    async def reject(delivery: Delivery) -> Outcome:
        taken.set()
        await may_finish.wait()
        return Rejection("test", "because", delivery.message_id)

    async with type(broker).at(rabbitmq.amqp_url) as private:
        before = await private.waiting(topology.dead_letters)
        async with (
            Consumer(rabbitmq.amqp_url, topology, ["a"], reject),
            Dispatcher(rabbitmq.amqp_url, exchange=topology.exchange) as dispatcher,
        ):
            await dispatcher.trigger("a", {}, id="e-1")
            await taken.wait()
            paused()
            may_finish.set()

            async def is_being_published() -> bool:
                return bool(sessions) and any(
                    channel.confirmations for channel in _connection(sessions[0]).channels.values()
                )

            await until(is_being_published)
            await _connection(sessions[0]).close(asyncio.CancelledError())
            rabbitmq.resume()

            async def came_again() -> bool:
                return sessions[-1] is not sessions[0]

            # Before that, RabbitMQ counts the event as taken by the session that was lost.
            await until(came_again)

        # At least one, as the first may have arrived; and the event itself is acknowledged.
        assert await private.waiting(topology.dead_letters) > before
        await until(lambda: _is_drained(private, topology.queue))


def _connection(session: Session) -> Any:
    """Return the connection on which dead letters are published, below aio-pika's."""
    assert session._publishing is not None
    assert session._publishing.transport is not None
    return session._publishing.transport.connection


async def _is_drained(broker: Any, queue: str) -> bool:
    """Return whether nothing waits, and nobody is there who could have anything in hand."""
    return bool(await broker.consumers(queue) == 0 and await broker.waiting(queue) == 0)


async def test_while_temporal_is_frozen_the_router_holds_its_events(
    temporal: TemporalServer,
    settings: RouterSettings,
    name: str,
    broker: Any,
    define: Callable[..., Definition],
    serving: Any,
    connect_to_temporal: Callable[[str], Awaitable[Client]],
    until: Any,
) -> None:
    """It takes no more than it may have in hand, and goes on by itself."""
    client = await connect_to_temporal(temporal.address)
    few = settings.model_copy(update={"prefetch": 2})

    async with serving(few, [define(name, "a", jobs=("x", "y"))], client):
        temporal.pause()
        try:
            for number in range(5):
                await broker.publish(settings.exchange, "a", b"{}", message_id=str(number))
            await until(lambda: broker.waiting(settings.queue), 2)
        finally:
            temporal.resume()
        await until(lambda: runs_of(client, name, 10))

    assert await broker.waiting(settings.queue) == 0


async def runs_of(client: Client, workflow: str, count: int) -> bool:
    """Return whether Temporal shows so many runs."""
    query = f'HatchetWorkflow = "{workflow}"'
    return len([run async for run in client.list_workflows(query)]) == count


async def test_a_temporal_that_died_is_waited_for(
    temporal: TemporalServer,
    settings: RouterSettings,
    name: str,
    broker: Any,
    define: Callable[..., Definition],
    serving: Any,
    connect_to_temporal: Callable[[str], Awaitable[Client]],
    until: Any,
) -> None:
    """Nothing is lost, and nothing becomes a dead letter."""
    client = await connect_to_temporal(temporal.address)

    async with serving(settings, [define(name, "a")], client):
        await broker.publish(settings.exchange, "a", b"{}", message_id="before")
        await until(lambda: runs_of(client, name, 1))
        await asyncio.to_thread(temporal.kill)
        for number in range(3):
            await broker.publish(settings.exchange, "a", b"{}", message_id=str(number))
        await until(lambda: has_taken_all(broker, settings.queue))
        await asyncio.to_thread(temporal.restart)
        await until(lambda: runs_of(client, name, 4))

    assert await broker.waiting(settings.queue) == 0


async def has_taken_all(broker: Any, queue: str) -> bool:
    """Return whether nothing waits any more."""
    return bool(await broker.waiting(queue) == 0)


async def test_stopping_while_temporal_is_away_gives_the_events_back(
    temporal: TemporalServer,
    settings: RouterSettings,
    name: str,
    broker: Any,
    define: Callable[..., Definition],
    serving: Any,
    connect_to_temporal: Callable[[str], Awaitable[Client]],
    until: Any,
) -> None:
    """A router that is told to stop does not wait for Temporal's return."""
    client = await connect_to_temporal(temporal.address)
    impatient = settings.model_copy(update={"grace_seconds": 0.2, "prefetch": 2})
    event_ids = [uuid.uuid4().hex for _ in range(4)]

    async with serving(impatient, [define(name, "a")], client):
        temporal.pause()
        for event_id in event_ids:
            await broker.publish(settings.exchange, "a", b"{}", message_id=event_id)
        await until(lambda: broker.waiting(settings.queue), 1)

    assert await until(lambda: broker.waiting(settings.queue), 4)
    temporal.resume()
    async with serving(settings, [define(name, "a")], client):
        await until(lambda: runs_of(client, name, 4))
