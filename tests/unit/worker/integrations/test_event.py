"""Steps that publish events, by a publisher that only remembers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from hatchet_router import BrokerUnreachable, Dispatcher, EventUnroutable, InvalidEvent
from hatchet_schemas import EventHeader
from hatchet_worker import Context, IntegrationError, InvalidInput, use_context
from hatchet_worker.integrations.event import Events, NewEvent, Publisher, TooManyHops
from hatchet_worker.provider_errors import ProviderFailed, Refused


class Remembering:
    """A `Publisher` that remembers, or raises ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.published: list[tuple[str, dict[str, Any], str, int]] = []
        self.closed = False

    async def trigger(self, key: str, data: Mapping[str, Any], *, id: str, hops: int) -> str:  # noqa: A002
        """Publish."""
        if self.error is not None:
            raise self.error
        self.published.append((key, dict(data), id, hops))
        return id

    async def close(self) -> None:
        """Take note."""
        self.closed = True


def after(hops: int) -> Context:
    event = EventHeader(id="e-1", key="user:create", time=datetime.now(UTC), hops=hops)
    return Context(event=event, idempotency_key="k-1")


async def test_an_event_gets_the_step_s_key_as_its_id_and_one_hop_more() -> None:
    publisher = Remembering()
    event = NewEvent(key="user:welcomed", data={"name": "ada"})

    published = await Events(publisher).publish(event, after(2))

    assert publisher.published == [("user:welcomed", {"name": "ada"}, "k-1", 3)]
    assert published.model_dump() == {"id": "k-1", "hops": 3}


async def test_a_chain_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Remembering()

    await Events(publisher).publish(NewEvent(key="a"), after(9))
    with pytest.raises(TooManyHops, match=r"'a' was not published: 10 steps.*HATCHET_EVENT_MAX_HO"):
        await Events(publisher).publish(NewEvent(key="a"), after(10))
    await Events(publisher, max_hops=11).publish(NewEvent(key="a"), after(10))
    monkeypatch.setenv("HATCHET_EVENT_MAX_HOPS", "12")
    await Events(publisher).publish(NewEvent(key="a"), after(11))

    assert [hops for *_, hops in publisher.published] == [10, 11, 12]


@pytest.mark.parametrize("text", ["0", "256", "-1", "ten", "²"])
def test_a_limit_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HATCHET_EVENT_MAX_HOPS", text)

    with pytest.raises(IntegrationError, match="expected a number from 1 to 255"):
        Events(Remembering())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "key: Field required"),
        ({"key": ""}, "an event key cannot be empty"),
        ({"key": "a.*"}, "is a pattern"),
        ({"key": "a b"}, "key: "),
        ({"key": "a", "data": ["x"]}, "data: "),
        ({"key": "a", "dta": {}}, "dta: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_event_is_not_published(data: dict[str, Any], message: str) -> None:
    publisher = Remembering()

    with use_context(Context()), pytest.raises(InvalidInput, match=message):
        Events(publisher).perform_action("publish", data)

    assert publisher.published == []


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (InvalidEvent("too large"), Refused),
        (BrokerUnreachable("amqp://u:pw@h/", "away"), ProviderFailed),
        (EventUnroutable("a", "k-1"), EventUnroutable),  # a router may be about to start
    ],
)
async def test_errors_of_the_dispatcher_are_sorted(
    error: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised) as caught:
        await Events(Remembering(error)).publish(NewEvent(key="a"), after(0))

    assert "pw" not in str(caught.value)


async def test_it_gives_up_the_publisher_s_connections() -> None:
    publisher = Remembering()

    await Events(publisher).close()

    assert publisher.closed


def test_the_dispatcher_is_a_publisher() -> None:
    publisher: Publisher = Dispatcher("amqp://guest@localhost/")

    assert Events(publisher, id="bus").id == "bus"
