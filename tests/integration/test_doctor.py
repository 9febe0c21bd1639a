"""What `hatchet doctor` finds at servers that are not as they should be."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from aio_pika import Message
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from tests.certificates import Authority

from hatchet_cli.broker_diagnosis import diagnose_broker
from hatchet_cli.devstack import DevStack, RabbitmqServer
from hatchet_cli.findings import Finding
from hatchet_cli.management_diagnosis import diagnose_management
from hatchet_cli.temporal_diagnosis import clock_skew, diagnose_temporal
from hatchet_router.amqp import connected
from hatchet_router.amqp_tls import with_tls_files
from hatchet_router.settings import RouterSettings
from hatchet_router.temporal import register_search_attributes
from hatchet_worker.connection import TemporalSettings, connect
from hatchet_worker.errors import NamespaceNotFound

GUEST = f"Basic {base64.b64encode(b'guest:guest').decode()}"

pytestmark = pytest.mark.usefixtures("stack")


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


@pytest.fixture
def settings(stack: DevStack) -> RouterSettings:
    name = uuid.uuid4().hex[:8]
    return RouterSettings(amqp_url=stack.rabbitmq.amqp_url, exchange=f"e-{name}", queue=f"q-{name}")


async def test_a_queue_and_an_exchange_of_another_kind_are_problems(
    settings: RouterSettings,
) -> None:
    async with connected(settings.amqp_url, "test") as connection:
        channel = await connection.channel()
        await channel.declare_queue(settings.queue, durable=True)
        await channel.declare_exchange(settings.exchange, "direct", durable=True)

        found = by_subject(await diagnose_broker(settings))

        await channel.queue_delete(settings.queue)
        await channel.exchange_delete(settings.exchange)
    assert found["RabbitMQ"].state == "ok"
    for subject, difference in {
        f"queue {settings.queue}": "inequivalent arg 'x-",
        f"exchange {settings.exchange}": "inequivalent arg 'type'",
    }.items():
        assert found[subject].state == "problem"
        assert difference in found[subject].detail


async def test_looking_declares_nothing_and_publishes_nothing(settings: RouterSettings) -> None:
    settings = settings.model_copy(update={"more_exchanges": (f"{settings.exchange}.more",)})
    assert by_subject(await diagnose_broker(settings))[f"queue {settings.queue}"].state == "note"

    found = by_subject(await diagnose_broker(settings))

    assert found[f"queue {settings.queue}"].detail == "does not exist"
    assert found[f"exchange {settings.exchange}.more"].state == "problem"
    async with connected(settings.amqp_url, "test") as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(settings.exchange, "topic", durable=True)
        everything = await channel.declare_queue(exclusive=True)
        await everything.bind(exchange, "#")

        permissions = by_subject(
            await diagnose_broker(settings.model_copy(update={"more_exchanges": ()}))
        )["permissions"]

        assert permissions.state == "ok", permissions
        assert await everything.get(fail=False) is None
        await channel.exchange_delete(settings.exchange)


async def test_dead_letters_that_wait_are_told(settings: RouterSettings) -> None:
    """Somebody has to look at them; nothing else in the findings says that there are some."""
    topology = settings.topology
    async with connected(settings.amqp_url, "test") as connection:
        channel = await connection.channel()
        await channel.declare_queue(
            topology.dead_letters, durable=True, arguments=topology.dead_letter_arguments
        )
        letter = Message(b"{}", message_id=settings.queue)
        await channel.default_exchange.publish(letter, topology.dead_letters)

        found = by_subject(await diagnose_broker(settings))["dead letters"]

        queue = await channel.get_queue(topology.dead_letters)
        while (message := await queue.get()).message_id != settings.queue:
            pass
        await message.ack()
    assert found.state == "note"
    assert found.detail.endswith(("1 waits", "wait"))
    assert "hatchet dead list" in found.mend


async def test_our_certificate_for_rabbitmq_is_looked_at_though_nobody_answers(
    tmp_path: Path,
) -> None:
    """One that has ended is the reason why."""
    ours = Authority(tmp_path).issue("router", days=-1)
    url = with_tls_files("amqps://127.0.0.1:1", certificate=ours.certificate, key=ours.key)

    found = by_subject(await diagnose_broker(RouterSettings(amqp_url=url)))

    assert found["RabbitMQ"].unreachable
    assert found["our certificate for RabbitMQ"].state == "problem"
    assert "has ended on" in found["our certificate for RabbitMQ"].detail


async def test_a_search_attribute_of_another_type_is_a_problem(stack: DevStack) -> None:
    """Temporal refuses each start that bears it, so routers do without."""
    client = await connect(TemporalSettings(address=stack.temporal.address))
    namespace = f"n-{uuid.uuid4().hex[:8]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    settings = TemporalSettings(address=stack.temporal.address, namespace=namespace)
    other = await _connected_when_there(settings)
    await other.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=namespace,
            search_attributes={"HatchetJob": IndexedValueType.INDEXED_VALUE_TYPE_INT},
        )
    )

    found = by_subject(await diagnose_temporal(settings))["search attributes"]

    assert found.state == "problem"
    assert "HatchetJob is of type Int, not Keyword" in found.detail
    assert not await register_search_attributes(other)


async def _connected_when_there(settings: TemporalSettings) -> Client:
    """Connect to a namespace that was made a moment ago, and that not all of Temporal knows."""
    while True:
        try:
            return await connect(settings)
        except NamespaceNotFound:
            await asyncio.sleep(0.2)


async def test_clocks_that_differ_are_noticed(stack: DevStack) -> None:
    client = await connect(TemporalSettings(address=stack.temporal.address))

    assert abs(await clock_skew(client)) < timedelta(minutes=1)
    behind = await clock_skew(client, lambda: datetime.now(UTC) - timedelta(hours=1))
    ahead = await clock_skew(client, lambda: datetime.now(UTC) + timedelta(hours=1))
    assert round(behind / timedelta(hours=1)) == 1
    assert round(ahead / timedelta(hours=1)) == -1


async def test_a_queue_without_workers_is_told(stack: DevStack) -> None:
    found = by_subject(
        await diagnose_temporal(TemporalSettings(address=stack.temporal.address), ["lonely-queue"])
    )

    assert found["workers on lonely-queue"].state == "note"
    assert found["clock"].state == found["Temporal"].state == "ok"


@pytest.fixture(scope="module")
def managed(stack: DevStack) -> Iterator[RabbitmqServer]:
    """A RabbitMQ with the management API, for users and policies of our own."""
    server = RabbitmqServer(management=True)
    server.start()
    yield server
    server.stop()


async def test_policies_and_missing_permissions_are_problems(managed: RabbitmqServer) -> None:
    assert managed.management_url is not None
    url = managed.management_url
    settings = RouterSettings(amqp_url=managed.amqp_url)
    async with (
        connected(managed.amqp_url, "test") as connection,
        aiohttp.ClientSession(f"{url}/", headers={"Authorization": GUEST}) as api,
    ):
        channel = await connection.channel()
        topology = settings.topology
        await channel.declare_exchange(topology.exchange, "topic", durable=True)
        await channel.declare_queue(
            topology.queue, durable=True, arguments=topology.queue_arguments
        )
        sound = await diagnose_management(url, managed.amqp_url, topology)
        assert {finding.state for finding in sound} == {"ok"}

        everywhere = quote("/", safe="")
        for path, body in {
            f"api/policies/{everywhere}/short": {
                "pattern": ".*",
                "apply-to": "queues",
                "definition": {"message-ttl": 1000, "delivery-limit": 3},
            },
            "api/users/publisher": {"password": "p", "tags": ""},
            f"api/permissions/{everywhere}/publisher": {
                "configure": "",
                "write": "hatchet.events",
                "read": "",
            },
        }.items():
            async with api.put(path, json=body) as response:
                assert response.status in {201, 204}, await response.text()
        address = f"amqp://publisher:p@{urlsplit(managed.amqp_url).netloc.rpartition('@')[2]}/"

        weakened = await diagnose_management(url, managed.amqp_url, topology)
        while not any(finding.state == "problem" for finding in weakened):
            await asyncio.sleep(0.2)  # policies are applied, and shown, a little later
            weakened = await diagnose_management(url, managed.amqp_url, topology)
        refused = await diagnose_management(url, address, topology)
        found = by_subject(await diagnose_broker(settings.model_copy(update={"amqp_url": address})))

    [weak] = [finding for finding in weakened if finding.state == "problem"]
    assert weak.subject == "policies on hatchet.router"
    assert "message-ttl: messages end" in weak.detail
    assert "delivery-limit: 3 instead of 100" in weak.detail
    assert "the user needs the tag 'monitoring'" in refused[0].detail
    assert found["permissions"].state == found["queue hatchet.router"].state == "problem"
    assert "ACCESS_REFUSED" in found["permissions"].detail
