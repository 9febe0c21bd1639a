"""A router process with a queue of its own, and the events that are put into the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Self

import aio_pika
from pydantic_core import to_json

from bench.processes import Program
from bench.projects import EVENT
from bench.workbench import HATCHET, Workbench

__all__ = ["OutgoingEvent", "RoutersQueue", "events", "fill"]

_READY_SECONDS: Final = 60.0
_PORTION: Final = 500
_BODY: Final = to_json(EVENT)


class OutgoingEvent(NamedTuple):
    """An event to publish; what it holds is `EVENT`."""

    key: str
    id: str


def events(key: str, ids: str, count: int) -> list[OutgoingEvent]:
    """Return so many events, with ids that begin with ``ids``."""
    return [OutgoingEvent(key, f"{ids}-{number}") for number in range(count)]


class RoutersQueue:
    """A queue of routers, with the exchange, the workflow files and the variables they have."""

    def __init__(self, bench: Workbench, amqp_url: str, temporal_address: str, name: str) -> None:
        self.amqp_url = amqp_url
        self.exchange = f"bench.{name}.events"
        self.queue = f"bench.{name}.router"
        self.folder = bench.folder / name
        self._bench = bench
        self._variables = {
            "HATCHET_AMQP_URL": amqp_url,
            "HATCHET_EXCHANGE": self.exchange,
            "HATCHET_QUEUE": self.queue,
            "HATCHET_DEPLOYMENT": name,
            "TEMPORAL_ADDRESS": temporal_address,
        }

    @classmethod
    async def prepared(cls, bench: Workbench, what: str, files: Mapping[str, str | bytes]) -> Self:
        """Write ``files``, and let a router declare and bind the queue for them."""
        stack = await bench.stack()
        name = bench.new_name(what)
        made = cls(bench, stack.rabbitmq.amqp_url, stack.temporal.address, name)
        await asyncio.to_thread(_write, made.folder, files)
        await (await made.start()).stop()
        return made

    async def start(self, variables: Mapping[str, str] | None = None) -> Program:
        """Start a router, and return when it is ready."""
        router = self.launch(variables)
        await router.records("router.ready", 1, _READY_SECONDS)
        return router

    def launch(self, variables: Mapping[str, str] | None = None) -> Program:
        """Start a router and return at once."""
        command = [HATCHET, "router", "--dir", str(self.folder)]
        return self._bench.start("router", command, {**self._variables, **(variables or {})})

    async def fill(self, outgoing: Iterable[OutgoingEvent]) -> None:
        """Publish events while no router runs, and leave no others in the queue."""
        async with await aio_pika.connect(self.amqp_url) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(self.queue, ensure=False)
            # A consumer that has just closed may have been given messages back.
            await queue.purge()
        await fill(self.amqp_url, self.exchange, outgoing)


async def fill(amqp_url: str, exchange: str, outgoing: Iterable[OutgoingEvent]) -> None:
    """Publish events, many at a time; return when RabbitMQ has confirmed all."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        to = await channel.get_exchange(exchange, ensure=False)
        left = iter(outgoing)
        while portion := list(islice(left, _PORTION)):
            await asyncio.gather(
                *(to.publish(_message(event), event.key, mandatory=False) for event in portion)
            )


def _message(event: OutgoingEvent) -> aio_pika.Message:
    return aio_pika.Message(
        _BODY,
        message_id=event.id,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
