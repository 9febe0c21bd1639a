"""Publishers that know nothing of us: what their clients send, through a real broker, is routed.

kombu and the CloudEvents SDK are there themselves. The others' messages are sent by pika as those
clients send them: amqplib 0.10 (``lib/api_args.js``), FastStream 0.7.8 (``rabbit/parser.py``),
Celery 5.7.0 (recorded), Spring AMQP 4 (``Jackson2JsonMessageConverter``, ``GZipPostProcessor``) and
MassTransit 8 (``JsonMessageEnvelope``).
"""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import kombu
import pika
import pika.exceptions
import pytest
from cloudevents.core.bindings import amqp, rabbitmq
from cloudevents.core.v1.event import CloudEvent

from hatchet_router.planning import StartRequest
from hatchet_router.rabbitmq import Consumer
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.settings import RouterSettings
from hatchet_schemas import Definition, Event

Define = Callable[..., Definition]

DATA = {"order": 7, "note": "Zoë"}
TEXT = json.dumps(DATA, ensure_ascii=False)
BODY = TEXT.encode()
TASK_ID = "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de"
MT_ID = "181c0000-6393-3630-36a4-08daf4e7c6da"
THEN = datetime(2018, 4, 5, 17, 31, tzinfo=UTC)
SECONDS = int(THEN.timestamp())


@dataclass
class Starts:
    """Takes the place of Temporal, and keeps what is to be started there."""

    requests: list[StartRequest] = field(default_factory=list)

    async def start(self, request: StartRequest) -> bool:
        """Take a job."""
        self.requests.append(request)
        return True

    @property
    def events(self) -> list[Event]:
        """The events of the jobs."""
        return [request.input.event for request in self.requests]


@pytest.fixture
def routing(settings: RouterSettings, define: Define, name: str) -> Any:
    """Route this test's keys for as long as the context lasts."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Starts]:
        starts = Starts()
        router = Router(RoutingTable([define(name, f"{name}.paid")]), starts)
        async with Consumer(settings.amqp_url, settings.topology, [f"{name}.paid"], router.handle):
            yield starts

    return run


CELERY_HEADERS = json.loads("""{
    "lang": "py", "task": "shop.order_paid", "id": "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de",
    "shadow": null, "eta": null, "expires": null, "group": null, "group_index": null, "retries": 0,
    "timelimit": [null, null], "root_id": "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de", "parent_id": null,
    "argsrepr": "()", "kwargsrepr": "{'order': 7, 'note': 'Zoë'}", "origin": "gen4470@vm",
    "ignore_result": null, "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}
}""")
CELERY = {
    "content_type": "application/json",
    "content_encoding": "utf-8",
    "correlation_id": TASK_ID,
    "reply_to": "b1639117-5df0-37fa-8d99-86b56e927187",
    "delivery_mode": 2,
    "priority": 0,
}
EMBED = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}'
CELERY_1 = f"""{{
    "task": "shop.order_paid", "id": "{TASK_ID}", "args": [], "kwargs": {TEXT}, "group": null,
    "group_index": null, "retries": 0, "eta": null, "expires": null, "utc": true,
    "callbacks": null, "errbacks": null, "timelimit": [null, null], "taskset": null, "chord": null
}}"""
MASSTRANSIT = f"""{{
    "messageId": "{MT_ID}", "requestId": null, "correlationId": null,
    "conversationId": "181c0000-6393-3630-69d5-08daf4e7c6db", "initiatorId": null,
    "sourceAddress": "rabbitmq://localhost/SHOP_bus_1yyyyyfdx?temporary=true",
    "destinationAddress": "rabbitmq://localhost/Shop.Contracts:OrderPaid",
    "responseAddress": null, "faultAddress": null,
    "messageType": ["urn:message:Shop.Contracts:OrderPaid"], "message": {TEXT},
    "expirationTime": null, "sentTime": "2018-04-05T17:31:00.0000000Z", "headers": {{}},
    "host": {{"machineName": "SHOP", "processName": "Shop", "processId": 9427}}
}}"""

CLOUD_EVENT = CloudEvent(
    {
        "id": "A234",
        "source": "/shop",
        "type": "com.example.paid",
        "specversion": "1.0",
        "time": THEN,
        "subject": "7",
        "traceparent": "00-1",
    },
    DATA,
)
BINARY = rabbitmq.to_binary_event(CLOUD_EVENT)
STRUCTURED = rabbitmq.to_structured_event(CLOUD_EVENT)
OF_AMQP = amqp.to_binary_event(CLOUD_EVENT)
OF_JMS = {name: str(value) for name, value in OF_AMQP.application_properties.items()}
OF_JMS["cloudEvents_time"] = "2018-04-05T17:31:00Z"

ANY_ID, NOW = object(), object()
MESSAGES: dict[str, tuple[bytes, dict[str, Any], tuple[Any, Any, str | None]]] = {
    "pika": (BODY, {}, (ANY_ID, NOW, None)),
    "amqplib": (BODY, {"headers": {}}, (ANY_ID, NOW, None)),
    "amqplib, with Date.now()": (
        BODY,
        {"headers": {}, "message_id": "o-7", "timestamp": SECONDS * 1000},
        ("o-7", THEN, None),
    ),
    "FastStream": (
        BODY,
        {
            "content_type": "application/json",
            "correlation_id": "8f0c1b5e-93d4-4c2e-8f6e-1b2f3a4b5c6d",
            "timestamp": SECONDS,
            "delivery_mode": 1,
        },
        (ANY_ID, THEN, None),
    ),
    "Spring": (
        BODY,
        {
            "content_type": "application/json",
            "content_encoding": "UTF-8",
            "headers": {"__TypeId__": "com.example.OrderPaid"},
            "delivery_mode": 2,
            "priority": 0,
        },
        (ANY_ID, NOW, None),
    ),
    "Spring, zipped": (
        gzip.compress(BODY),
        {
            "content_type": "application/json",
            "content_encoding": "gzip, UTF-8",
            "headers": {"__TypeId__": "com.example.OrderPaid", "springAutoDecompress": True},
        },
        (ANY_ID, NOW, None),
    ),
    "Celery": (
        f"[[], {TEXT}, {EMBED}]".encode(),
        {**CELERY, "headers": CELERY_HEADERS},
        (TASK_ID, NOW, None),
    ),
    "Celery, compressed": (
        zlib.compress(f"[[], {TEXT}, {EMBED}]".encode()),
        {**CELERY, "headers": {**CELERY_HEADERS, "compression": "application/x-gzip"}},
        (TASK_ID, NOW, None),
    ),
    "Celery, protocol 1": (CELERY_1.encode(), CELERY, (TASK_ID, NOW, None)),
    "MassTransit": (
        MASSTRANSIT.encode(),
        {
            "content_type": "application/vnd.masstransit+json",
            "message_id": MT_ID,
            "headers": {"publishId": "1"},
            "delivery_mode": 2,
        },
        (MT_ID, THEN, "rabbitmq://localhost/SHOP_bus_1yyyyyfdx?temporary=true"),
    ),
    "CloudEvents, binary": (BINARY.body, {"headers": BINARY.headers}, ("A234", THEN, "/shop")),
    "CloudEvents, structured": (
        STRUCTURED.body,
        {"content_type": STRUCTURED.content_type, "message_id": "another"},
        ("A234", THEN, "/shop"),
    ),
    "CloudEvents, AMQP": (
        OF_AMQP.application_data,
        {"headers": OF_AMQP.application_properties},
        ("A234", THEN, "/shop"),
    ),
    "CloudEvents, AMQP's types": (
        OF_AMQP.application_data,
        {"headers": {**OF_JMS, "cloudEvents_time": THEN.replace(tzinfo=None)}},
        ("A234", THEN, "/shop"),
    ),
    "CloudEvents, JMS": (OF_AMQP.application_data, {"headers": OF_JMS}, ("A234", THEN, "/shop")),
    "UTF-16": (
        TEXT.encode("utf-16"),
        {"content_type": "application/json; charset=utf-16"},
        (ANY_ID, NOW, None),
    ),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_an_event_of_another_client_is_routed(
    name: str,
    settings: RouterSettings,
    broker: Any,
    routing: Any,
    until: Any,
    message: tuple[bytes, dict[str, Any], tuple[Any, Any, str | None]],
) -> None:
    """With the data, the id, the time and the source that its publisher gave it."""
    body, properties, (event_id, happened, source) = message
    async with routing() as starts:
        await broker.publish(settings.exchange, f"{name}.paid", body, **properties)

        async def started() -> bool:
            return bool(starts.events)

        await until(started)

    (event,) = starts.events
    assert event.data == DATA
    assert event.key == f"{name}.paid"
    assert event.source == source
    assert event.id if event_id is ANY_ID else event.id == event_id
    assert (
        abs(event.time.timestamp() - time.time()) < 60
        if happened is NOW
        else event.time == happened
    )


@pytest.mark.parametrize("compression", [None, "gzip", "bzip2"])
async def test_kombu_itself(
    name: str,
    settings: RouterSettings,
    routing: Any,
    next_letter: Any,
    until: Any,
    compression: str | None,
) -> None:
    """Plain, in the compression that it calls gzip, and in one that is not read here."""

    def publish() -> None:
        with kombu.Connection(settings.amqp_url) as connection:
            exchange = kombu.Exchange(settings.exchange, type="topic", no_declare=True)
            producer = connection.Producer(exchange=exchange)
            producer.publish(DATA, routing_key=f"{name}.paid", compression=compression)

    async with routing() as starts:
        await asyncio.to_thread(publish)
        if compression == "bzip2":
            letter = await next_letter(f"{name}.paid")
            assert letter.headers["hatchet-reason"] == "unsupported-encoding"
            assert letter.headers["hatchet-detail"] == (
                "compression 'application/x-bz2' is not supported"
            )
            return

        async def started() -> bool:
            return bool(starts.events)

        await until(started)
    assert [event.data for event in starts.events] == [DATA]


REFUSED: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "too many headers": (
        b"{}",
        {"headers": {f"h{number}": "" for number in range(65)}},
        "too-large",
    ),
    "headers that are too large": (b"{}", {"headers": {"h": "x" * 17_000}}, "too-large"),
    "a body that is too large": (b" " * 300_000, {}, "too-large"),
    "a bomb": (gzip.compress(b" " * 2**24), {"content_encoding": "gzip"}, "too-large"),
    "a batch": (
        b"[]",
        {"content_type": "application/cloudevents-batch+json"},
        "unsupported-encoding",
    ),
    "a pickle": (
        b"\x80\x04}.",
        {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
        "undecodable",
    ),
    "a CloudEvent without an id": (
        b"{}",
        {"headers": {"ce-specversion": "1.0", "ce-source": "/shop", "ce-type": "x"}},
        "undecodable",
    ),
    "control characters": (
        b"\x00\x1b[31m",
        {"message_id": "\x1b[31m\n\u202e", "content_type": "\u202e\x00"},
        "undecodable",
    ),
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
async def test_what_is_not_understood_is_one_dead_letter_as_it_came(
    name: str,
    settings: RouterSettings,
    broker: Any,
    routing: Any,
    next_letter: Any,
    until: Any,
    message: tuple[bytes, dict[str, Any], str],
) -> None:
    """And the next event is routed."""
    body, properties, kind = message
    async with routing() as starts:
        await broker.publish(settings.exchange, f"{name}.paid", body, **properties)
        await broker.publish(settings.exchange, f"{name}.paid", b"{}", message_id="next")
        letter = await next_letter(f"{name}.paid")

        async def started() -> bool:
            return bool(starts.events)

        await until(started)

    assert [event.id for event in starts.events] == ["next"]
    assert letter.headers["hatchet-reason"] == kind
    assert letter.headers["hatchet-detail"].isprintable()
    assert letter.body == body
    assert letter.content_type == properties.get("content_type")


async def test_the_broker_stands_up_for_a_users_name(
    name: str, settings: RouterSettings, broker: Any, routing: Any, until: Any
) -> None:
    """Whoever says what another one says gets jobs of his own, and none can use another's name."""
    declared = {"ce-specversion": "1.0", "ce-type": "x", "ce-id": "o-7"}
    key = f"{name}.paid"
    async with routing() as starts:
        for properties in (
            {"message_id": "o-7"},
            {"message_id": "o-7", "user_id": "guest"},
            {"headers": {**declared, "ce-source": "guest"}},
            {"headers": {**declared, "ce-source": "/shop"}},
            {"headers": {**declared, "ce-source": "/shop"}, "user_id": "guest"},
            {"headers": {**declared, "ce-source": "guest@/shop"}},
        ):
            await broker.publish(settings.exchange, key, b"{}", **properties)
        with pytest.raises(pika.exceptions.AMQPError, match="PRECONDITION_FAILED"):
            await asyncio.to_thread(publish_as_another, settings, key)

        async def all_started() -> bool:
            return len(starts.requests) >= 6

        await until(all_started)

    assert sorted(str(event.source) for event in starts.events) == sorted(
        ["None", "guest", "@guest", "/shop", "guest@/shop", "@guest@/shop"]
    )
    assert {event.id for event in starts.events} == {"o-7"}
    assert len({request.workflow_id for request in starts.requests}) == 6


def publish_as_another(settings: RouterSettings, key: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(settings.amqp_url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(message_id="o-7", user_id="shop")
        channel.basic_publish(settings.exchange, key, b"{}", properties)
    finally:
        connection.close()
