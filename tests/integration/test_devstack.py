"""The local servers, for real: they start, survive, and leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pika
import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client, WorkflowExecutionStatus

from hatchet_cli.devstack import (
    DevStack,
    DevStackError,
    RabbitmqServer,
    TemporalServer,
    amqp_answers,
    start_together,
    temporal_answers,
)
from hatchet_cli.devstack.probe import http_answers

Eventually = Callable[[Callable[[], object]], None]

LOOPBACK = "0100007F"  # as /proc/net/tcp writes it on little-endian machines
LOOPBACK_6 = "00000000000000000000000001000000"

needs_proc = pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")

OWNER = """
    from hatchet_cli.devstack import DevStack
    stack = DevStack()
    print("starting", flush=True)
    with stack:
        print("serving", flush=True)
        input()
"""


@pytest.fixture
def rabbitmq(stack: DevStack) -> Iterator[RabbitmqServer]:
    """Start a node that the test may break; `stack` has made sure that one is installed."""
    with RabbitmqServer() as server:
        yield server


@pytest.fixture
def temporal(stack: DevStack) -> Iterator[TemporalServer]:
    """Start a server that the test may break."""
    with TemporalServer() as server:
        yield server


@needs_proc
def test_both_servers_answer_on_loopback_only(stack: DevStack) -> None:
    """Nothing that a developer starts may be reachable from the network."""
    assert amqp_answers("127.0.0.1", stack.rabbitmq.port)
    assert temporal_answers(stack.temporal.address)
    assert listening_addresses(stack.rabbitmq.log_path.parent) <= {LOOPBACK, LOOPBACK_6}
    assert listening_addresses(stack.temporal.log_path.parent) == {LOOPBACK}


def test_web_interfaces_are_there_if_wanted() -> None:
    """The demo shows both; the tests need neither."""
    with DevStack(management=True) as stack:
        for url in (stack.rabbitmq.management_url, stack.temporal.ui_url):
            assert url is not None
            assert http_answers("127.0.0.1", int(url.rpartition(":")[2]))


def test_headless_servers_have_no_web_interface(stack: DevStack) -> None:
    """A missing interface is None, not an address where nobody answers."""
    assert stack.rabbitmq.management_url is None
    with TemporalServer(headless=True) as temporal:
        assert temporal.ui_url is None


async def test_temporal_is_complete_as_soon_as_it_is_ready(temporal: TemporalServer) -> None:
    """A start that sets an unknown search attribute would be refused."""
    client = await Client.connect(temporal.address, namespace=temporal.namespace)

    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=temporal.namespace)
    )
    await client.start_workflow("Nobody", id="at-once", task_queue="nobody")

    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    assert dict(known.custom_attributes) == {
        "HatchetWorkflow": keyword,
        "HatchetJob": keyword,
        "HatchetEventKey": keyword,
        "HatchetEventId": keyword,
    }


def test_a_confirmed_message_survives_restart_and_kill(rabbitmq: RabbitmqServer) -> None:
    """Fault tests rest on this: the same address and the same data come back."""
    url = rabbitmq.amqp_url
    publish_confirmed(url, "kept", b"hello")

    rabbitmq.restart()
    assert message_count(url, "kept") == 1

    rabbitmq.kill()
    assert not amqp_answers("127.0.0.1", rabbitmq.port)
    rabbitmq.restart()
    assert rabbitmq.amqp_url == url
    assert message_count(url, "kept") == 1


async def test_a_workflow_survives_restart_and_kill(temporal: TemporalServer) -> None:
    """Fault tests rest on this too, and one client lives through both."""
    client = await Client.connect(temporal.address)
    handle = await client.start_workflow("Nobody", id="waiting", task_queue="nobody")

    temporal.restart()
    temporal.kill()
    assert not temporal_answers(temporal.address)
    temporal.restart()

    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


def test_a_paused_server_is_silent_until_it_is_resumed(
    rabbitmq: RabbitmqServer, temporal: TemporalServer, eventually: Eventually
) -> None:
    """A hanging server differs from a dead one: its port still accepts connections."""
    rabbitmq.pause()
    temporal.pause()
    assert not amqp_answers("127.0.0.1", rabbitmq.port, timeout_s=0.3)
    assert not temporal_answers(temporal.address, timeout_s=0.3)
    socket.create_connection(("127.0.0.1", rabbitmq.port)).close()

    rabbitmq.resume()
    temporal.resume()
    eventually(lambda: amqp_answers("127.0.0.1", rabbitmq.port))
    eventually(lambda: temporal_answers(temporal.address))


@needs_proc
async def test_a_kept_folder_brings_the_data_back(stack: DevStack, tmp_path: Path) -> None:
    """As `hatchet dev --persist` promises, also when the ports differ."""
    with DevStack(tmp_path / "kept") as first:
        publish_confirmed(first.rabbitmq.amqp_url, "kept", b"hello")
        client = await Client.connect(first.temporal.address)
        await client.start_workflow("Nobody", id="waiting", task_queue="nobody")
        with pytest.raises(DevStackError, match="another running server uses"):
            RabbitmqServer(tmp_path / "kept" / "rabbitmq").start()

    with DevStack(tmp_path / "kept") as second:
        assert message_count(second.rabbitmq.amqp_url, "kept") == 1
        client = await Client.connect(second.temporal.address)
        description = await client.get_workflow_handle("waiting").describe()
        assert description.status == WorkflowExecutionStatus.RUNNING
    assert processes_about(tmp_path) == {}


def test_two_stacks_run_side_by_side(stack: DevStack) -> None:
    """Tests, a demo and a developer's own stack share one machine."""
    rabbitmq, temporal = RabbitmqServer(), TemporalServer()
    try:
        start_together(rabbitmq, temporal)
        publish_confirmed(rabbitmq.amqp_url, "only-here", b"hello")

        assert rabbitmq.port != stack.rabbitmq.port
        assert temporal.address != stack.temporal.address
        assert node_name(rabbitmq) != node_name(stack.rabbitmq)
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
            message_count(stack.rabbitmq.amqp_url, "only-here")
    finally:
        rabbitmq.stop()
        temporal.stop()


@needs_proc
@pytest.mark.parametrize(
    ("moment", "end"),
    [
        pytest.param("serving", signal.SIGKILL, id="killed while serving"),
        pytest.param("starting", signal.SIGKILL, id="killed while starting"),
        pytest.param("starting", signal.SIGINT, id="interrupted while starting"),
        pytest.param("serving", None, id="ended normally"),
    ],
)
def test_nothing_outlives_the_owner(
    stack: DevStack,
    tmp_path: Path,
    eventually: Eventually,
    moment: str,
    end: signal.Signals | None,
) -> None:
    """No process and no folder is left, however the program ends that started the servers."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER)],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as owner:
        assert owner.stdout is not None
        for line in owner.stdout:
            if line.decode().strip() == moment:
                break
        eventually(lambda: any("beam" in command for command in processes_about(tmp_path).values()))
        if end is None:
            owner.communicate(b"\n")
        else:
            owner.send_signal(end)
    assert (owner.returncode == 0) is (end is None)

    eventually(lambda: processes_about(tmp_path) == {})
    assert list(tmp_path.iterdir()) == []


def publish_confirmed(url: str, queue: str, body: bytes) -> None:
    """Put a persistent message into a durable queue, and return when it is safe there."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))


def message_count(url: str, queue: str) -> int:
    """Return how many messages wait in a queue."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        declared = connection.channel().queue_declare(queue, passive=True)
        return int(declared.method.message_count)


def node_name(server: RabbitmqServer) -> str:
    """Return the name by which Erlang knows the node."""
    return (server.log_path.parent / "node-name").read_text()


def processes_about(folder: Path) -> dict[Path, str]:
    """Return living processes that name a folder, be it in a variable, and their commands."""
    found: dict[Path, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if str(folder).encode() in command + (process / "environ").read_bytes():
                found[process] = command.replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
    return found


def open_files(process: Path) -> list[Path]:
    """Return what a process has open, or nothing if it has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return list((process / "fd").iterdir())
    return []


def listening_addresses(folder: Path) -> set[str]:
    """Return the addresses, in the kernel's notation, that processes about a folder listen on."""
    sockets: set[str] = set()
    for process in processes_about(folder):
        for descriptor in open_files(process):
            with suppress(FileNotFoundError):  # it has just been closed
                sockets.add(str(descriptor.readlink()))
    addresses: set[str] = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = fields = line.split()
            if state == "0A" and f"socket:[{fields[9]}]" in sockets:
                addresses.add(local.partition(":")[0])
    return addresses
