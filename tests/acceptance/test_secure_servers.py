"""Jobs on servers that demand certificates, with users that may do no more than they must."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker
from tests.acceptance.conftest import ROOT, Project, workflow
from tests.acceptance.test_commands import INTEGRATIONS
from tests.certificates import HOST, Authority, KeyPair
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack, RabbitmqServer
from hatchet_cli.devstack.ports import PortBlock
from hatchet_cli.secure_temporal.terminator import TlsTerminator, server_context
from hatchet_router import BrokerUnreachable
from hatchet_router.amqp import connected
from hatchet_router.amqp_tls import with_tls_files
from hatchet_worker import TemporalSettings, TemporalUnreachable, connect

PASSWORD = "s3cret"
TLS = """\
listeners.ssl.default = {host}:{port}
ssl_options.cacertfile = {ca}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
load_definitions = {definitions}
"""


@dataclass(frozen=True)
class SecureBroker:
    """A RabbitMQ that demands certificates, on a port; its administrator comes by another."""

    port: int
    plain_url: str
    client: KeyPair
    ca: Path

    def url(self, user: str, shown: KeyPair | None = None, ca: Path | None = None) -> str:
        """Return the address for a user, by default with all that it takes."""
        pair = shown or self.client
        plain = f"amqps://{user}:{PASSWORD}@{HOST}:{self.port}/"
        return with_tls_files(plain, ca or self.ca, pair.certificate, pair.key)

    @contextmanager
    def channel(self, user: str) -> Iterator[Any]:
        """Open a channel with a client that knows nothing of us."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.client.certificate, self.client.key)
        parameters = pika.ConnectionParameters(
            HOST,
            self.port,
            credentials=pika.PlainCredentials(user, PASSWORD),
            ssl_options=pika.SSLOptions(context, HOST),
        )
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            connection.close()


def documented_definitions() -> dict[str, Any]:
    """Return the permissions that the document shows."""
    text = (ROOT / "docs" / "security.md").read_text()
    [block] = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    definitions: dict[str, Any] = json.loads(block)
    return definitions


def with_users(definitions: dict[str, Any]) -> dict[str, Any]:
    """Add the users of these permissions, and an administrator."""
    salt = b"salt"
    hashed = base64.b64encode(salt + hashlib.sha256(salt + PASSWORD.encode()).digest()).decode()
    names = [permission["user"] for permission in definitions["permissions"]]
    anything = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        **definitions,
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": name,
                "password_hash": hashed,
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "administrator" if name == "admin" else "",
            }
            for name in (*names, "admin")
        ],
        "permissions": [*definitions["permissions"], {"user": "admin", **anything}],
    }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def secure_broker(
    stack: DevStack, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureBroker]:
    """One for this module; `stack` skips where RabbitMQ is not installed."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    server, shown = RabbitmqServer(folder), authority.issue("rabbitmq", HOST)
    (folder / "conf.d").mkdir()
    definitions = folder / "definitions.json"
    definitions.write_text(json.dumps(with_users(documented_definitions())))
    with PortBlock(1) as ports:
        [port] = ports.numbers
        (folder / "conf.d" / "tls.conf").write_text(
            TLS.format(
                host=HOST,
                port=port,
                ca=authority.certificate,
                certificate=shown.certificate,
                key=shown.key,
                definitions=definitions,
            )
        )
        with server:
            plain_url = f"amqp://admin:{PASSWORD}@{HOST}:{server.port}/"
            yield SecureBroker(port, plain_url, authority.issue("client"), authority.certificate)
            server.kill()


@pytest.fixture(scope="module")
def secure_temporal(stack: DevStack, authority: Authority) -> Iterator[str]:
    """Give the address of a gate to the shared Temporal, which demands certificates."""
    shown = authority.issue("temporal", HOST)
    context = server_context(shown.certificate, shown.key, authority.certificate)
    upstream = urlsplit(f"//{stack.temporal.address}")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        to = (str(upstream.hostname), int(upstream.port or 0))
        async with TlsTerminator(context, HOST, 0, *to) as gate:
            ports.append(gate.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(60)
    yield f"{HOST}:{ports[0]}"
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def temporal_variables(address: str, ca: Path, shown: KeyPair | None) -> dict[str, str]:
    """Return what leads a client to Temporal."""
    files = {
        "SERVER_CA_CERT": ca,
        **({"CLIENT_CERT": shown.certificate, "CLIENT_KEY": shown.key} if shown else {}),
    }
    return {
        "TEMPORAL_ADDRESS": address,
        **{f"TEMPORAL_TLS_{name}_PATH": str(file) for name, file in files.items()},
    }


def test_jobs_run_end_to_end(
    secure_broker: SecureBroker,
    secure_temporal: str,
    authority: Authority,
    offline_project: Project,
    lifetime: ExitStack,
    eventually: Eventually,
) -> None:
    """Router, worker and publisher have certificates, and users with the documented permissions."""
    project, shown = offline_project, authority.issue("hatchet")
    queue = f"queue-{uuid.uuid4().hex[:8]}"

    def plain(user: str) -> str:
        return f"amqps://{user}:{PASSWORD}@{HOST}:{secure_broker.port}/"

    project.environment = {
        **project.environment,
        **temporal_variables(secure_temporal, authority.certificate, shown),
        "HATCHET_AMQP_URL": plain("hatchet-router"),
        "HATCHET_AMQP_TLS_CA": str(authority.certificate),
        "HATCHET_AMQP_TLS_CERT": str(shown.certificate),
        "HATCHET_AMQP_TLS_KEY": str(shown.key),
        "HATCHET_DEPLOYMENT": queue,
        "TEST_QUEUE": queue,
    }
    project.write("integrations.py", INTEGRATIONS)
    project.write(
        ".hatchet/echo.yaml", workflow("Echo", "user:create", queue, message="{{ .text }}")
    )
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"))
    eventually(lambda: worker.has_said("worker.started"))

    published = project.hatchet(
        *("publish", "user:create", "--data", '{"text": "hello"}', "--wait"),
        HATCHET_AMQP_URL=plain("shop"),
    )
    with secure_broker.channel("shop") as channel:
        channel.basic_publish("hatchet.events", "user:create", b"no JSON")
    eventually(lambda: router.has_said("event.dead_lettered"))
    replayed = project.hatchet("dead", "replay", HATCHET_AMQP_URL=plain("hatchet-operator"))

    assert published.code == 0, published.stderr
    assert "Echo/speak completed" in published.stderr
    assert replayed.code == 0, replayed.stderr
    log = router.log.read_text()
    assert "ACCESS_REFUSED" not in log
    assert "router.degraded" not in log


async def test_rabbitmq_lets_in_nobody_else(
    secure_broker: SecureBroker, authority: Authority, stranger: Authority
) -> None:
    without = with_tls_files(
        f"amqps://shop:{PASSWORD}@{HOST}:{secure_broker.port}/", authority.certificate
    )
    addresses = {
        without: "client certificate",
        secure_broker.url("shop", authority.issue("old", days=-1)): "client certificate in .*old",
        secure_broker.url("shop", stranger.issue("foe")): "client certificate in .*foe",
        secure_broker.url("shop", ca=stranger.certificate): "is not of the CA in",
        secure_broker.url("nobody"): "refused the user, the password",
        f"amqp://shop:{PASSWORD}@{HOST}:{secure_broker.port}/": "is it a port for TLS",
    }

    for address, reason in addresses.items():
        with pytest.raises(BrokerUnreachable, match=reason):
            async with connected(address, "test"):
                pytest.fail(f"let in by {reason!r}")
    async with connected(secure_broker.url("shop"), "test") as connection:
        assert not connection.is_closed


async def test_temporal_lets_in_nobody_else(
    secure_temporal: str, authority: Authority, stranger: Authority
) -> None:
    """The gate ends a connection without a word of why: that is asked for, then."""
    ca = authority.certificate
    for refused in (None, authority.issue("old", days=-1), stranger.issue("foe")):
        variables = temporal_variables(secure_temporal, ca, refused)
        with pytest.raises(TemporalUnreachable, match="TEMPORAL_TLS_CLIENT_CERT_PATH"):
            await connect(TemporalSettings.from_environment(variables))
    wrong = temporal_variables(secure_temporal, stranger.certificate, authority.issue("me"))
    with pytest.raises(TemporalUnreachable, match="no CA that is trusted here"):
        await connect(TemporalSettings.from_environment(wrong))

    good = temporal_variables(secure_temporal, ca, authority.issue("me"))
    client = await connect(TemporalSettings.from_environment(good))

    assert await client.service_client.check_health()


Act = Callable[[Any], object]


@pytest.fixture(scope="module")
def foreign(secure_broker: SecureBroker) -> str:
    """Give a queue, and an exchange, of somebody else."""
    connection = pika.BlockingConnection(pika.URLParameters(secure_broker.plain_url))
    channel = connection.channel()
    channel.exchange_declare("payments", "topic")
    channel.queue_declare("payments")
    channel.exchange_declare("hatchet.events", "topic", durable=True)
    channel.exchange_declare("hatchet.router.replay", "topic", durable=True, auto_delete=True)
    connection.close()
    return "payments"


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("user", "act"),
    [
        ("shop", lambda channel: publish(channel, "hatchet.events", "payment:done")),
        ("shop", lambda channel: publish(channel, "hatchet.router.replay", "user:create")),
        ("shop", lambda channel: publish(channel, "", "hatchet.router")),
        ("shop", lambda channel: publish(channel, "payments", "user:create")),
        ("shop", lambda channel: channel.queue_declare("", exclusive=True)),
        ("shop", lambda channel: channel.exchange_declare("hatchet.events", "topic", durable=True)),
        ("shop", lambda channel: channel.exchange_delete("hatchet.events")),
        ("shop", lambda channel: channel.basic_get("payments")),
        ("hatchet-router", lambda channel: channel.basic_get("payments")),
        ("hatchet-router", lambda channel: channel.queue_purge("payments")),
        ("hatchet-router", lambda channel: channel.queue_delete("payments")),
        ("hatchet-router", lambda channel: channel.queue_bind("payments", "hatchet.events", "#")),
        ("hatchet-router", lambda channel: publish(channel, "payments", "a")),
        ("hatchet-router", lambda channel: publish(channel, "", "payments")),
        ("hatchet-router", lambda channel: publish(channel, "hatchet.events", "user:create")),
        ("hatchet-router", lambda channel: channel.queue_declare("hatchet-router-mine")),
        ("hatchet-operator", lambda channel: publish(channel, "hatchet.events", "user:create")),
        ("hatchet-operator", lambda channel: channel.basic_get("payments")),
    ],
)
def test_users_may_do_nothing_else(secure_broker: SecureBroker, user: str, act: Act) -> None:
    with (
        secure_broker.channel(user) as channel,
        pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"),
    ):
        act(channel)


def publish(channel: Any, exchange: str, key: str) -> None:
    """Publish, and wait for what the broker says of it."""
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, b"{}")
