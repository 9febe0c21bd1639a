"""A broker and a Temporal shared by the tests, with names on them that are each test's own."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import aio_pika
import pika
import pytest
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from hatchet_cli.devstack import DevStack, RabbitmqServer
from hatchet_router.reloading import Reloads
from hatchet_router.service import serve
from hatchet_router.settings import RouterSettings
from hatchet_router.topology import Topology
from hatchet_schemas import ActionId, Definition, Job, Step, Triggers, Workflow

T = TypeVar("T")


@dataclass(frozen=True)
class Broker:
    """Looks at a broker, and publishes to it, with clients that know nothing of us."""

    url: str
    connection: AbstractConnection

    async def waiting(self, queue: str) -> int:
        """Return how many messages nobody has in hand."""
        return (await self._declared(queue))[0]

    async def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has, 0 if there is no such queue."""
        return (await self._declared(queue))[1]

    async def _declared(self, queue: str) -> tuple[int, int]:
        async with self.connection.channel() as channel:
            try:
                state = (await channel.declare_queue(queue, passive=True)).declaration_result
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return 0, 0
        return state.message_count or 0, state.consumer_count or 0

    async def queue(self, exchange: str, *bindings: str) -> AbstractQueue:
        """Return a passing queue of the test's own, bound to an exchange."""
        channel = await self.connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for binding in bindings:
            await queue.bind(exchange, binding)
        return queue

    async def publish(self, exchange: str, key: str, body: bytes, **properties: Any) -> None:
        """Publish as pika does it: no confirm, and no property that is not named here."""

        def with_pika() -> None:
            connection = pika.BlockingConnection(pika.URLParameters(self.url))
            connection.channel().basic_publish(
                exchange, key, body, pika.BasicProperties(**properties) if properties else None
            )
            connection.close()

        await asyncio.to_thread(with_pika)

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator["Broker"]:
        """Connect for as long as the context lasts."""
        async with await aio_pika.connect(url) as connection:
            yield cls(url, connection)


class Until:
    """Waits for a condition, and fails the test if it does not come true in time."""

    async def __call__(
        self, condition: Callable[[], Awaitable[T]], expected: T | None = None, seconds: float = 60
    ) -> T:
        """Return what `condition` gives once that is `expected`, or true if nothing is."""
        deadline = time.monotonic() + seconds
        while True:
            found = await condition()
            if (found == expected) if expected is not None else found:
                return found
            assert time.monotonic() < deadline, f"still {found!r} after {seconds:g} seconds"
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def until() -> Until:
    """Wait until a condition holds, instead of sleeping."""
    return Until()


@pytest.fixture
def name() -> str:
    """Make a name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def settings(stack: DevStack, name: str) -> RouterSettings:
    """Settings of a router that no other test disturbs."""
    return RouterSettings(
        amqp_url=stack.rabbitmq.amqp_url,
        exchange=f"{name}.events",
        queue=f"{name}.router",
        deployment=name,
    )


@pytest.fixture
async def broker(stack: DevStack) -> AsyncIterator[Broker]:
    """Open a second pair of eyes on the shared broker."""
    async with Broker.at(stack.rabbitmq.amqp_url) as broker:
        yield broker


@pytest.fixture(scope="session")
def rabbitmq(stack: DevStack) -> Iterator[RabbitmqServer]:
    """Start a broker that tests may break, and have to mend; `stack` knows that there is one.

    It takes policies, and all dead letters on it are those of the test that runs.
    """
    with RabbitmqServer(management=True) as server:
        yield server


@pytest.fixture
def topology(name: str) -> Topology:
    """Names on that broker that are the test's own, but for the dead letters."""
    return Topology(exchange=f"{name}.events", queue=f"{name}.router")


@pytest.fixture
async def dead_letters(broker: Broker) -> AbstractQueue:
    """Get a copy of every dead letter from now on, also those of other tests."""
    async with broker.connection.channel() as channel:
        await channel.declare_exchange(
            "hatchet.dead-letters", aio_pika.ExchangeType.FANOUT, durable=True
        )
    return await broker.queue("hatchet.dead-letters", "")


@pytest.fixture
async def client(stack: DevStack) -> Client:
    """Connect to the shared Temporal as the program does."""
    return await connected_to(stack.temporal.address)


async def connected_to(address: str) -> Client:
    """Return a client that carries data as the program's own does."""
    return await Client.connect(address, data_converter=pydantic_data_converter)


@pytest.fixture
def connect_to_temporal() -> Callable[[str], Awaitable[Client]]:
    """Connect to a Temporal of the test's own."""
    return connected_to


Define = Callable[..., Definition]


@pytest.fixture
def define() -> Define:
    """Make a workflow from its name, its triggers and the names of its jobs.

    A trigger is a key, or a map with ``event`` and ``if``.
    """

    def make(
        name: str, *events: str | dict[str, str], jobs: tuple[str, ...] = ("job",)
    ) -> Definition:
        step = Step(
            name="Say it", id="say", action_id=ActionId("echo:say"), timeout=timedelta(seconds=10)
        )
        workflow = Workflow(
            name=name,
            on=Triggers.model_validate(list(events)),
            jobs={job: Job(queue=f"{job}-queue", steps=(step,)) for job in jobs},
        )
        return Definition(f"{name}.yaml", workflow)

    return make


@dataclass(frozen=True)
class RunningRouter:
    """A router in a task, and what stops it."""

    task: asyncio.Task[None]
    stop: asyncio.Event


Serve = Callable[..., AbstractAsyncContextManager[RunningRouter]]


@pytest.fixture
def serving(until: Until) -> Serve:
    """Run a router for as long as the context lasts, ready when it is entered."""

    @asynccontextmanager
    async def run(
        settings: RouterSettings,
        definitions: Iterable[Definition],
        client: Client,
        reloads: Reloads | None = None,
    ) -> AsyncIterator[RunningRouter]:
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(Broker.at(settings.amqp_url))
            consumers = await broker.consumers(settings.queue)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(stop.set)
            task = group.create_task(serve(settings, definitions, client, stop, reloads))

            async def ready() -> bool:
                return task.done() or await broker.consumers(settings.queue) > consumers

            await until(ready)
            yield RunningRouter(task, stop)

    return run


async def next_message(queue: AbstractQueue, key: str, seconds: float = 60) -> Any:
    """Return the next message with this routing key, passing over those of other tests."""
    async with asyncio.timeout(seconds):
        while True:
            message: AbstractIncomingMessage | None = await queue.get(fail=False, no_ack=True)
            if message is not None and message.routing_key == key:
                return message
            if message is None:
                await asyncio.sleep(0.02)


@pytest.fixture
def next_letter(dead_letters: AbstractQueue) -> Callable[[str], Awaitable[Any]]:
    """Wait for the next dead letter with a routing key."""

    async def wait(key: str) -> Any:
        return await next_message(dead_letters, key)

    return wait
