"""A queue that was full by a policy takes messages again once the policy is gone."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest
from structlog.testing import capture_logs

from hatchet_cli.devstack import RabbitmqServer
from hatchet_router import Dispatcher, EventRefused
from hatchet_router.deliveries import Delivery, Outcome, Rejection
from hatchet_router.rabbitmq import Consumer
from hatchet_router.testing import ROUTED
from hatchet_router.topology import Topology
from hatchet_schemas.names import DEAD_LETTERS

Full = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.fixture
async def observer(rabbitmq: RabbitmqServer, broker: Any) -> AsyncIterator[Any]:
    """Look at the private broker."""
    async with type(broker).at(rabbitmq.amqp_url) as private:
        yield private


@pytest.fixture
def full(rabbitmq: RabbitmqServer) -> Full:
    """Let a queue refuse what comes after its first message, for as long as the context lasts."""
    address = f"{rabbitmq.management_url}/api/policies/%2F/full"
    login = b64encode(b"guest:guest").decode()

    def ask(method: str, body: dict[str, Any] | None = None) -> None:
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(address, data, headers, method=method)  # noqa: S310 - the broker's API
        with urlopen(request, timeout=10):  # noqa: S310
            pass

    @asynccontextmanager
    async def lasting(queue: str) -> AsyncIterator[None]:
        limit = {"max-length": 1, "overflow": "reject-publish"}
        policy = {"pattern": f"^{queue}$", "definition": limit, "apply-to": "queues"}
        await asyncio.to_thread(ask, "PUT", policy)
        try:
            yield
        finally:
            await asyncio.to_thread(ask, "DELETE")

    return lasting


async def test_dead_letters_are_stored_when_their_queue_takes_them_again(
    rabbitmq: RabbitmqServer,
    topology: Topology,
    observer: Any,
    full: Full,
    until: Any,
) -> None:
    """RabbitMQ goes on refusing on the channel that was refused once, so another one is taken."""

    async def reject(delivery: Delivery) -> Outcome:
        return Rejection("test", "because", delivery.message_id)

    with capture_logs() as logs:
        async with Consumer(rabbitmq.amqp_url, topology, ["a"], reject) as consumer:
            before = await observer.waiting(DEAD_LETTERS)
            async with full(DEAD_LETTERS):
                for number in range(20):
                    await observer.publish(topology.exchange, "a", b"%d" % number, message_id="e")

                async def is_refused() -> bool:
                    return "dead-letters" in consumer.readiness.troubles

                await until(is_refused)
                await asyncio.sleep(3)

            async def is_settled() -> bool:
                return consumer.readiness.is_ready and await observer.waiting(topology.queue) == 0

            await until(is_settled)
            assert await until(lambda: observer.waiting(DEAD_LETTERS), before + 20)

    assert [log["event"] for log in logs].count("router.not_ready") == 1


async def test_a_dispatcher_goes_on_when_a_queue_takes_events_again(
    rabbitmq: RabbitmqServer, topology: Topology, observer: Any, full: Full, until: Any
) -> None:
    """Its events are refused while the queue is full, and no longer."""

    async def handle(delivery: Delivery) -> Outcome:
        return ROUTED

    async with Consumer(rabbitmq.amqp_url, topology, ["a"], handle):
        pass
    async with Dispatcher(rabbitmq.amqp_url, exchange=topology.exchange) as dispatcher:
        async with full(topology.queue):

            async def is_refused() -> bool:
                try:
                    await dispatcher.trigger("a", {})
                except EventRefused:
                    return True
                return False

            await until(is_refused)

        async def is_taken() -> bool:
            return not await is_refused()

        await until(is_taken)
