"""The message that the Dispatcher makes of an event, and what it refuses before any broker."""

import asyncio
import json
import socket
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import aio_pika
import pytest
from cloudevents.core.bindings import rabbitmq
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from hatchet_router import (
    BlockingDispatcher,
    BrokerUnreachable,
    Dispatcher,
    InvalidEvent,
    RouterError,
)
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery
from hatchet_router.dispatcher import _message
from hatchet_router.hops import HOPS
from hatchet_router.settings import RouterSettings
from hatchet_schemas import Event
from hatchet_schemas.events import MAX_HOPS

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class User(BaseModel):
    """What an application may have at hand."""

    name: str
    since: date


def message(
    data: Mapping[str, Any] | None = None,
    key: str = "user:create",
    event_id: str = "e-1",
    time: datetime = NOON,
) -> aio_pika.Message:
    return _message(key, {} if data is None else data, event_id, time)


def test_a_message_is_persistent_json_with_an_id_and_a_time() -> None:
    """All that a consumer of any kind needs."""
    made = message({"username": "ada"})

    assert json.loads(made.body) == {"username": "ada"}
    assert made.content_type == "application/json"
    assert made.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert made.message_id == "e-1"
    assert made.timestamp == NOON


def test_an_event_with_a_source_is_a_cloud_event() -> None:
    """Its source keeps its id apart from the same id of others."""
    made = _message("user:create", {"a": 1}, "e-1", NOON, source="/webhooks/shop")
    headers: dict[str, Any] = dict(made.headers)

    theirs = rabbitmq.from_binary_event(
        rabbitmq.RabbitMQMessage(headers, made.content_type, made.body)
    )
    assert (theirs.get_id(), theirs.get_source()) == ("e-1", "/webhooks/shop")
    assert (theirs.get_type(), theirs.get_time()) == ("user:create", NOON)
    read = decode(Delivery(made.body, "user:create", made.message_id, headers=headers))
    assert read == Event(
        id="e-1", key="user:create", time=NOON, source="/webhooks/shop", data={"a": 1}
    )
    assert message().headers == {}
    for source in ("", "a\ud800"):
        with pytest.raises(InvalidEvent):
            _message("user:create", {}, "e-1", NOON, source=source)


@pytest.mark.parametrize("hops", [0, 1, MAX_HOPS])
def test_hops_come_back_as_they_were_sent(hops: int) -> None:
    """And a message of no hops says nothing of them."""
    made = _message("a", {}, "e-1", NOON, hops=hops)

    assert (HOPS in made.headers) == (hops > 0)
    event = decode(Delivery(made.body, "a", headers=made.headers))
    assert isinstance(event, Event)
    assert event.hops == hops


@pytest.mark.parametrize("hops", [-1, MAX_HOPS + 1])
def test_hops_that_cannot_be_are_refused(hops: int) -> None:
    with pytest.raises(InvalidEvent, match="expected 0 to 255"):
        _message("a", {}, "e-1", NOON, hops=hops)


def test_dates_ids_and_models_become_json() -> None:
    """As pydantic writes them."""
    some_id = uuid.UUID(int=7)
    made = message(
        {
            "at": NOON,
            "day": date(2026, 1, 2),
            "id": some_id,
            "took": timedelta(minutes=1),
            "price": Decimal("1.50"),
            "user": User(name="ada", since=date(2020, 1, 1)),
            "users": [User(name="bob", since=date(2020, 1, 1))],
            "roles": ("a", "b"),
        }
    )

    assert json.loads(made.body) == {
        "at": "2026-01-02T12:00:00Z",
        "day": "2026-01-02",
        "id": str(some_id),
        "took": "PT1M",
        "price": "1.50",
        "user": {"name": "ada", "since": "2020-01-01"},
        "users": [{"name": "bob", "since": "2020-01-01"}],
        "roles": ["a", "b"],
    }


def test_text_is_sent_as_utf_8() -> None:
    """Escapes would make it larger and harder to read in a management UI."""
    assert "Åda 🚀".encode() in message({"name": "Åda 🚀"}).body


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "cannot be empty"),
        ("user create", "is not an event key"),
        ("user:create\n", "is not an event key"),
        ("üser", "is not an event key"),
        ("x" * 256, "at most 255"),
        ("user:*", "is a pattern"),
        ("#", "is a pattern"),
        ("a.b*", "is not a pattern"),
    ],
)
def test_a_key_that_no_event_can_have_is_refused(key: str, reason: str) -> None:
    """A pattern would reach no workflow, or the wrong ones."""
    with pytest.raises(InvalidEvent, match=reason):
        message(key=key)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not JSON"),
        (float("inf"), "not JSON"),
        (b"\xff", "not JSON"),
        ("\ud800", "not JSON"),
        (object(), "not JSON"),
        (2**63, "does not fit 64 bits"),
        (Decimal("NaN"), None),
    ],
)
def test_data_that_is_not_json_is_refused(value: object, reason: str | None) -> None:
    """Where the event is made, and not later among the dead letters."""
    if reason is None:
        assert json.loads(message({"a": value}).body) == {"a": "NaN"}  # a text is harmless
        return
    with pytest.raises(InvalidEvent, match=reason):
        message({"a": value})


def test_data_that_contain_themselves_are_refused() -> None:
    """They have no end."""
    data: dict[str, Any] = {}
    data["data"] = data

    with pytest.raises(InvalidEvent, match="not JSON"):
        message(data)


@pytest.mark.parametrize("depth", [64, 300, 5000])
def test_data_nested_too_deep_are_refused(depth: int) -> None:
    """The router would not take them."""
    data: Any = []
    for _ in range(depth):
        data = [data]

    with pytest.raises(InvalidEvent):
        message({"a": data})


@pytest.mark.parametrize("data", [[1], "text", None, 7])
def test_data_that_are_no_object_are_refused(data: Any) -> None:
    """An event has named fields."""
    with pytest.raises(InvalidEvent):
        _message("user:create", data, "e-1", NOON)


def test_data_that_are_too_large_are_refused() -> None:
    """With the sizes, and what to do instead."""
    message({"a": "x" * (256 * 1024 - 8)})
    with pytest.raises(InvalidEvent, match=r"262,145 bytes as JSON, at most 262,144 .* address"):
        message({"a": "x" * (256 * 1024 - 7)})


@pytest.mark.parametrize("event_id", ["x" * 256, "ü" * 128, "half \ud83d"])
def test_an_id_that_amqp_cannot_carry_is_refused(event_id: str) -> None:
    """It counts in bytes."""
    with pytest.raises(InvalidEvent, match="event id"):
        message(event_id=event_id)


@pytest.mark.parametrize("event_id", ["x" * 255, "ü" * 127, "order/7 \n"])
def test_an_id_may_be_any_other_text(event_id: str) -> None:
    """The router makes it safe."""
    assert message(event_id=event_id).message_id == event_id


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 1, 2, 12),  # noqa: DTZ001 - that is what is refused
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_time_that_amqp_cannot_carry_is_refused(time: datetime) -> None:
    """Without a zone it is a guess; others would arrive as a different one."""
    with pytest.raises(InvalidEvent, match="cannot be sent"):
        message(time=time)


@pytest.mark.parametrize(
    "time",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=5))),
        datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
    ],
)
def test_other_times_are_taken(time: datetime) -> None:
    """In any zone."""
    assert message(time=time).timestamp == time


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_what_is_published_can_be_routed(data: dict[str, Any]) -> None:
    """Whatever the Dispatcher takes, the router understands."""
    try:
        made = message(data)
    except InvalidEvent:
        return
    event = decode(Delivery(made.body, "user:create", message_id=made.message_id))
    assert isinstance(event, Event)
    assert event.data == json.loads(made.body)


async def test_an_invalid_event_needs_no_broker() -> None:
    """It is refused before a connection is opened."""
    dispatcher = Dispatcher("amqp://no-such-host.invalid/")

    with pytest.raises(InvalidEvent) as caught:
        await dispatcher.trigger("a b", {})
    assert isinstance(caught.value, RouterError)
    assert isinstance(caught.value, ValueError)


async def test_a_closed_dispatcher_can_be_closed_again() -> None:
    """Also one that never connected."""
    async with Dispatcher("amqp://no-such-host.invalid/") as dispatcher:
        await dispatcher.close()


async def test_a_broker_that_never_answers_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The timeout is the caller's, however long a single attempt may take."""
    monkeypatch.setattr("hatchet_router.amqp._CONNECT_TIMEOUT_SECONDS", 300)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        dispatcher = Dispatcher(f"amqp://u:secret@127.0.0.1:{port}/", timeout=0.2)

        with pytest.raises(BrokerUnreachable, match="did not take the event") as caught:
            async with asyncio.timeout(60):
                await dispatcher.trigger("a", {})

    assert caught.value.address == f"amqp://127.0.0.1:{port}/"
    assert "secret" not in str(caught.value)
    async with asyncio.timeout(30):  # what closes the connection ends by itself
        while asyncio.all_tasks() != {asyncio.current_task()}:  # noqa: ASYNC110
            await asyncio.sleep(0)


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under any of the names that the router reads."""
    monkeypatch.delenv("HATCHET_AMQP_URL", raising=False)
    monkeypatch.setenv("AMQP_URL", "amqp://elsewhere.invalid/")

    with pytest.raises(BrokerUnreachable, match=r"elsewhere\.invalid"):
        asyncio.run(Dispatcher(timeout=0.1).trigger("a", {}))


async def test_what_the_routers_of_the_settings_refuse_is_not_sent() -> None:
    settings = RouterSettings(amqp_url="amqp://127.0.0.1:1/", max_body_bytes=10)

    with pytest.raises(InvalidEvent, match="at most 10 are accepted"):
        await Dispatcher.of(settings).trigger("a", {"text": "too long"})


def test_a_blocking_dispatcher_has_the_same_limit() -> None:
    dispatcher = BlockingDispatcher("amqp://127.0.0.1:1/", max_body_bytes=10)

    with dispatcher, pytest.raises(InvalidEvent, match="at most 10 are accepted"):
        dispatcher.trigger("a", {"text": "too long"})
