"""Reading, replaying and removing dead letters on a real broker."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from temporalio.client import Client

from hatchet_cli.devstack import RabbitmqServer
from hatchet_router import BrokerError
from hatchet_router.dead_letter_queue import DeadLetterQueue
from hatchet_router.replays import Replayer
from hatchet_router.settings import RouterSettings
from hatchet_router.topology import Topology

READ_AND_DIE = """
import asyncio, os, signal, sys
from hatchet_router.dead_letter_queue import DeadLetterQueue
from hatchet_router.topology import Topology

async def main():
    async with DeadLetterQueue(sys.argv[1], Topology()) as letters:
        for _ in range(int(sys.argv[2])):
            await letters.next_batch()
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


class Letters:
    """What the tests put into the queue of dead letters and find there."""

    def __init__(self, url: str, topology: Topology, channel: AbstractChannel) -> None:
        self.url = url
        self.topology = topology
        self.channel = channel

    async def declare(self) -> None:
        """Declare, as a router does, what is there when letters are; nothing is left in it."""
        arguments = self.topology.dead_letter_arguments
        name = self.topology.dead_letters
        exchange = await self.channel.declare_exchange(name, "fanout", durable=True)
        queue = await self.channel.declare_queue(name, durable=True, arguments=arguments)
        await queue.bind(exchange)
        await queue.purge()
        await self.declare_router_queue()

    async def declare_router_queue(self, **arguments: Any) -> aio_pika.abc.AbstractQueue:
        """Declare the router's queue."""
        exchange = await self.channel.declare_exchange(
            self.topology.exchange, "topic", durable=True
        )
        queue = await self.channel.declare_queue(
            self.topology.queue,
            durable=True,
            arguments={**self.topology.queue_arguments, **arguments},
        )
        await queue.bind(exchange, "#")
        return queue

    async def put(self, count: int, *, key: str = "order.paid", **properties: Any) -> list[str]:
        """Put letters as a router would make them; return their ids."""
        exchange = await self.channel.get_exchange(self.topology.dead_letters)
        ids = [f"e{number:05}" for number in range(count)]
        headers: dict[str, Any] = {
            "hatchet-reason": "condition-failed",
            "hatchet-queue": self.topology.queue,
            "hatchet-attempts": 1,
        }

        async def publish(event_id: str) -> None:
            message = aio_pika.Message(b"{}", message_id=event_id, headers=headers, **properties)
            await exchange.publish(message, key)

        for start in range(0, count, 200):
            await asyncio.gather(*(publish(event_id) for event_id in ids[start : start + 200]))
        return ids

    async def waiting(self, queue: str | None = None) -> int:
        """Return how many letters nobody has in hand."""
        declared = await self.channel.declare_queue(
            queue or self.topology.dead_letters, passive=True
        )
        return declared.declaration_result.message_count or 0

    async def readers(self) -> int:
        """Return how many consumers have letters in hand, or could get some."""
        declared = await self.channel.declare_queue(self.topology.dead_letters, passive=True)
        return declared.declaration_result.consumer_count or 0

    def reading(self) -> DeadLetterQueue:
        """Return a reader."""
        return DeadLetterQueue(self.url, self.topology)

    async def read(self) -> list[str | None]:
        """Return the ids of all letters, in their order."""
        async with self.reading() as letters:
            found: list[str | None] = []
            while batch := await letters.next_batch():
                assert len(batch) <= 200
                found += [held.letter.event_id for held in batch]
        return found


@pytest.fixture
async def letters(rabbitmq: RabbitmqServer, topology: Topology) -> AsyncIterator[Letters]:
    """Give an empty queue of dead letters."""
    async with await aio_pika.connect(rabbitmq.amqp_url) as connection:
        letters = Letters(rabbitmq.amqp_url, topology, await connection.channel())
        await letters.declare()
        yield letters


async def test_looking_often_loses_no_letter_and_keeps_the_order(letters: Letters) -> None:
    """Each look takes them and gives them back, which RabbitMQ counts."""
    ids = await letters.put(450)

    for _ in range(50):
        assert await letters.read() == ids
        async with letters.reading() as some:
            assert len(await some.next_batch()) == 200
    assert await letters.waiting() == 450


@pytest.mark.timeout(240)
async def test_thousands_are_read_in_order_some_at_a_time(letters: Letters) -> None:
    """More than one channel's worth, which are given back one after the other."""
    ids = await letters.put(6500)

    for _ in range(2):
        assert await letters.read() == ids
        async with letters.reading() as some:
            await some.next_batch()


async def test_a_look_at_the_first_keeps_the_order_of_all(letters: Letters) -> None:
    """Though RabbitMQ puts back behind what came back before."""
    ids = await letters.put(450)
    assert await letters.read() == ids

    async with letters.reading() as some:
        await some.next_batch()

    assert await letters.read() == ids


async def test_a_reader_that_is_killed_loses_nothing(letters: Letters, until: Any) -> None:
    """Its letters come back when its connection is gone."""
    ids = await letters.put(450)

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READ_AND_DIE, letters.url, "2"
    )
    assert await process.wait() == -signal.SIGKILL

    await until(letters.waiting, 450)
    assert await letters.read() == ids


async def test_letters_that_come_meanwhile_are_for_the_next_reader(letters: Letters) -> None:
    """A replay that fails at once would go on forever."""
    await letters.put(1)
    async with letters.reading() as some:
        assert len(await some.next_batch()) == 1
        await letters.put(3)
        assert await some.next_batch() == []

    assert len(await letters.read()) == 4


async def test_a_second_reader_is_turned_away(letters: Letters) -> None:
    """It would see the rest alone, as if that were all."""
    async with letters.reading():
        with pytest.raises(BrokerError, match="another `hatchet dead`"):
            async with letters.reading():
                pass


async def test_what_is_removed_is_gone_and_the_rest_stays_in_order(letters: Letters) -> None:
    """Also what stands between."""
    ids = await letters.put(450)

    async with letters.reading() as some:
        while batch := await some.next_batch():
            await some.remove([held for held in batch if str(held.letter.event_id)[-1] == "7"])

    assert await letters.read() == [event_id for event_id in ids if event_id[-1] != "7"]


async def test_a_queue_that_could_lose_letters_is_not_read(letters: Letters, name: str) -> None:
    """RabbitMQ 4 limits deliveries to 20 where nothing is said."""

    class Other(Topology):
        @property
        def dead_letters(self) -> str:
            return f"{name}.dead"

    await letters.channel.declare_queue(
        f"{name}.dead", durable=True, arguments={"x-queue-type": "quorum"}
    )

    with pytest.raises(BrokerError, match="could lose letters"):
        async with DeadLetterQueue(letters.url, Other()):
            pass


async def test_a_replay_reaches_the_router_alone(letters: Letters) -> None:
    """Others who listen to events have had it."""
    exchange = await letters.channel.get_exchange(letters.topology.exchange)
    listener = await letters.channel.declare_queue(exclusive=True)
    await listener.bind(exchange, "#")
    await letters.put(1, content_type="application/json", correlation_id="c")

    async with (
        letters.reading() as some,
        Replayer(letters.url, letters.topology, "ada@laptop") as replayer,
    ):
        [held] = await some.next_batch()
        [replay] = await replayer.replay([held.letter])
        await some.remove([held])

    assert replay.failure is None
    queue = await letters.channel.get_queue(letters.topology.queue)
    event = await queue.get(no_ack=True)
    assert (event.body, event.routing_key, event.message_id) == (b"{}", "order.paid", "e00000")
    assert (event.content_type, event.correlation_id) == ("application/json", "c")
    assert event.headers["hatchet-replayed-by"] == "ada@laptop"
    assert await listener.get(fail=False) is None
    assert await letters.waiting() == 0


async def test_a_replay_without_a_router_queue_says_so(letters: Letters) -> None:
    """Nothing is published to nobody."""
    await letters.put(1)
    missing = Topology(queue="missing")

    async with letters.reading() as some, Replayer(letters.url, missing, "o") as replayer:
        [held] = await some.next_batch()
        with pytest.raises(BrokerError, match="'missing' does not exist: start a router"):
            await replayer.replay([held.letter])

    assert await letters.waiting() == 1


async def test_a_replay_that_nobody_gets_fails(letters: Letters) -> None:
    """As when the queue is made anew meanwhile."""
    await letters.put(1)

    async with (
        letters.reading() as some,
        Replayer(letters.url, letters.topology, "o") as replayer,
    ):
        [held] = await some.next_batch()
        await replayer.replay([held.letter])
        queue = await letters.channel.get_queue(letters.topology.queue)
        exchange = f"{letters.topology.queue}.replay"
        keeper = await letters.channel.declare_queue(exclusive=True)
        await keeper.bind(exchange, "none")
        await queue.unbind(exchange, "#")
        [replay] = await replayer.replay([held.letter])

    assert replay.failure
    assert "no queue is bound" in replay.failure


async def test_what_rabbitmq_itself_dead_letters_is_read_and_replayed(
    letters: Letters, name: str, until: Any
) -> None:
    """It came back too often, as when it kills whoever handles it."""
    topology = Topology(exchange=f"{name}.events", queue=f"{name}.limited")
    letters.topology = topology
    queue = await letters.declare_router_queue(**{"x-delivery-limit": 1})
    exchange = await letters.channel.get_exchange(topology.exchange)
    await exchange.publish(
        aio_pika.Message(b"{}", headers={"tenant": "x"}, user_id="guest"), "order.paid"
    )
    for _ in range(2):
        await (await queue.get()).reject(requeue=True)
    await until(letters.waiting, 1)

    async with letters.reading() as some, Replayer(letters.url, topology, "o") as replayer:
        [held] = await some.next_batch()
        [replay] = await replayer.replay([held.letter])
        await some.remove([held])

    letter = held.letter
    assert (letter.kind, letter.source, letter.attempts) == ("delivery-limit", "guest", 1)
    assert (letter.exchange, letter.queue) == (topology.exchange, topology.queue)
    assert letter.time is not None
    event = await queue.get(no_ack=True)
    assert event.message_id == replay.event_id
    assert event.headers["tenant"] == "x"
    assert event.headers["hatchet-user-id"] == "guest"
    assert not [header for header in event.headers if header.startswith("x-death")]


async def begin(url: str, topology: Topology, *arguments: str) -> asyncio.subprocess.Process:
    """Run ``hatchet dead`` in the background."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hatchet_cli", "dead", *arguments),
        env={**os.environ, "HATCHET_AMQP_URL": url, "HATCHET_QUEUE": topology.queue},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def runs_of(client: Client, workflow: str) -> list[str]:
    """Return the ids of all runs that Temporal shows."""
    return [run.id async for run in client.list_workflows(f'HatchetWorkflow = "{workflow}"')]


@pytest.mark.timeout(240)
async def test_a_replay_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing(
    letters: Letters,
    name: str,
    define: Any,
    serving: Any,
    client: Client,
    until: Any,
) -> None:
    """Whatever it was about to do; the ids of events make a second time harmless."""
    count = 1000
    topology = Topology(exchange=f"{name}.events", queue=f"{name}.killed")
    letters.topology = topology
    ids = await letters.put(count)
    settings = RouterSettings(
        amqp_url=letters.url, exchange=topology.exchange, queue=topology.queue
    )

    async with serving(settings, [define(name, "order.paid")], client):
        left, interrupted = count, 0
        for moment in itertools.count():
            replay = await begin(letters.url, topology, "replay", "--yes", "--force")

            async def is_at_it(replay: asyncio.subprocess.Process = replay) -> bool:
                return replay.returncode is not None or bool(await letters.readers())

            await until(is_at_it)
            await asyncio.sleep(moment * 0.06)  # anywhere in its work
            if replay.returncode is None:
                replay.kill()
            await replay.communicate()
            await until(letters.readers, 0)
            before, left = left, await letters.waiting()
            interrupted += 0 < left < before
            if not left:
                break

        async def all_started() -> bool:
            return len(await runs_of(client, name)) >= count

        await until(all_started, seconds=60)
        runs = await runs_of(client, name)

    assert interrupted > 0
    assert sorted(runs) == [f"{name}/job/{event_id}" for event_id in ids]


async def test_after_the_cause_is_mended_a_replay_starts_what_is_missing(
    letters: Letters,
    name: str,
    define: Any,
    serving: Any,
    client: Client,
    until: Any,
) -> None:
    """What had started does not start again, also for an event whose publisher is known."""
    topology = Topology(exchange=f"{name}.events", queue=f"{name}.mended")
    settings = RouterSettings(
        amqp_url=letters.url, exchange=topology.exchange, queue=topology.queue
    )
    fine = define(f"{name} fine", "order.paid")
    broken = define(f"{name} broken", {"event": "order.paid", "if": ".amount > 100"})
    mended = define(f"{name} broken", {"event": "order.paid", "if": ".total > 100"})
    async with serving(settings, [fine, broken], client):
        exchange = await letters.channel.get_exchange(topology.exchange)
        await exchange.publish(
            aio_pika.Message(b'{"total": 101}', message_id="e-1", user_id="guest"), "order.paid"
        )
        await until(letters.waiting, 1)
    [before] = await runs_of(client, f"{name} fine")

    async with serving(settings, [fine, mended], client):
        replay = await begin(
            letters.url, topology, "replay", "--id", "e-1", "--force", "-o", "json"
        )
        output, _ = await replay.communicate()

        async def has_started() -> bool:
            return bool(await runs_of(client, f"{name} broken"))

        await until(has_started)
        await until(lambda: drained(letters, topology.queue))

    assert replay.returncode == 0
    [outcome] = json.loads(output)
    assert (outcome["result"], outcome["kind"]) == ("replayed", "condition-failed")
    assert await runs_of(client, f"{name} fine") == [before]
    assert await letters.waiting() == 0


async def drained(letters: Letters, queue: str) -> bool:
    """Return whether nothing waits."""
    return await letters.waiting(queue) == 0
