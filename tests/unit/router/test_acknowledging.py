"""Which deliveries are acknowledged together."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.acknowledging import Acknowledgements


class Channel:
    """A channel that knows what was delivered, and refuses to hear of a delivery twice."""

    def __init__(self) -> None:
        self.unacknowledged: set[int] = set()
        self.frames: list[tuple[int, bool]] = []
        self.is_closed = False

    def deliver(self, tag: int) -> AbstractIncomingMessage:
        """Return the message of a delivery."""
        self.unacknowledged.add(tag)
        return cast("AbstractIncomingMessage", Message(self, tag))

    async def acknowledge(self, tag: int, *, multiple: bool) -> None:
        """Do as RabbitMQ does."""
        await asyncio.sleep(0)
        if self.is_closed:
            raise ConnectionError("closed")
        assert tag in self.unacknowledged, f"{tag} was acknowledged before"
        self.frames.append((tag, multiple))
        self.unacknowledged -= {each for each in self.unacknowledged if each < tag and multiple}
        self.unacknowledged.remove(tag)


class Message:
    """What is needed of a message."""

    def __init__(self, channel: Channel, tag: int) -> None:
        self.delivery_tag = tag
        self._channel = channel

    async def ack(self, multiple: bool = False) -> None:  # noqa: FBT001, FBT002 - as aio-pika has it
        """Acknowledge it."""
        await self._channel.acknowledge(self.delivery_tag, multiple=multiple)


def delivered(channel: Channel, to: Acknowledgements, *tags: int) -> list[AbstractIncomingMessage]:
    """Deliver messages."""
    messages = [channel.deliver(tag) for tag in tags]
    for message in messages:
        to.arrived(message)
    return messages


async def test_what_is_settled_together_is_acknowledged_at_once() -> None:
    channel, acknowledgements = Channel(), Acknowledgements()
    messages = delivered(channel, acknowledgements, 1, 2, 3)

    await asyncio.gather(*map(acknowledgements.acknowledge, messages))

    assert channel.frames == [(3, True)]


async def test_what_is_settled_within_a_moment_is_acknowledged_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hatchet_router.acknowledging._MOMENT_SECONDS", 3600)
    channel, acknowledgements = Channel(), Acknowledgements()
    messages = delivered(channel, acknowledgements, *range(1, 33))

    async with asyncio.TaskGroup() as group:
        for message in messages[:16]:
            group.create_task(acknowledgements.acknowledge(message))
            await asyncio.sleep(0)

    assert channel.frames == [(16, True)]


async def test_what_is_alone_in_hand_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hatchet_router.acknowledging._MOMENT_SECONDS", 3600)
    channel, acknowledgements = Channel(), Acknowledgements()

    for tag in (1, 2):
        [message] = delivered(channel, acknowledgements, tag)
        await acknowledgements.acknowledge(message)

    assert channel.frames == [(1, False), (2, False)]


async def test_what_is_settled_alone_is_acknowledged_alone() -> None:
    channel, acknowledgements = Channel(), Acknowledgements()
    one, two, three = delivered(channel, acknowledgements, 1, 2, 3)

    await acknowledgements.acknowledge(two)
    await acknowledgements.acknowledge(one)
    await acknowledgements.acknowledge(three)

    assert channel.frames == [(2, False), (1, False), (3, False)]


async def test_nothing_that_came_before_is_acknowledged_along() -> None:
    """It may still be lost, and has to come again then."""
    channel, acknowledgements = Channel(), Acknowledgements()
    one, two, three, four, five = delivered(channel, acknowledgements, 1, 2, 3, 4, 5)

    await asyncio.gather(*map(acknowledgements.acknowledge, (five, two, one, four)))

    assert channel.frames == [(2, True), (4, False), (5, False)]
    assert channel.unacknowledged == {3}
    await acknowledgements.acknowledge(three)
    assert channel.unacknowledged == set()


async def test_where_a_delivery_was_not_told_all_go_alone() -> None:
    channel, acknowledgements = Channel(), Acknowledgements()
    channel.deliver(2)
    one, three = delivered(channel, acknowledgements, 1, 3)

    await asyncio.gather(*map(acknowledgements.acknowledge, (one, three)))

    assert channel.unacknowledged == {2}


async def test_who_is_cancelled_takes_no_other_along() -> None:
    channel, acknowledgements = Channel(), Acknowledgements()
    one, two = delivered(channel, acknowledgements, 1, 2)
    first = asyncio.create_task(acknowledgements.acknowledge(one))
    second = asyncio.create_task(acknowledgements.acknowledge(two))
    await asyncio.sleep(0)
    first.cancel()

    await second

    assert channel.frames == [(2, True)]


async def test_all_are_told_that_the_channel_is_gone() -> None:
    channel, acknowledgements = Channel(), Acknowledgements()
    messages = delivered(channel, acknowledgements, 1, 2, 3)
    channel.is_closed = True

    waiting = map(acknowledgements.acknowledge, messages)
    results: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(result) for result in results] == [ConnectionError] * 3
    with pytest.raises(ConnectionError):
        await acknowledgements.acknowledge(messages[0])


@given(st.data())
async def test_whatever_the_order_each_is_acknowledged_once_and_none_before_it_is_settled(
    data: st.DataObject,
) -> None:
    """The channel refuses the second time; what is not settled stays."""
    channel, acknowledgements = Channel(), Acknowledgements()
    waiting: set[asyncio.Task[None]] = set()
    in_hand: list[AbstractIncomingMessage] = []
    settled: set[int] = set()
    last = 0
    for _ in range(data.draw(st.integers(1, 30))):
        match data.draw(st.sampled_from(["arrives", "settled", "turn"])):
            case "arrives":
                last += 1
                in_hand += delivered(channel, acknowledgements, last)
            case "settled" if in_hand:
                message = in_hand.pop(data.draw(st.integers(0, len(in_hand) - 1)))
                settled.add(message.delivery_tag or 0)
                waiting.add(asyncio.create_task(acknowledgements.acknowledge(message)))
            case _:
                await asyncio.sleep(0)
        assert set(range(1, last + 1)) - channel.unacknowledged <= settled
    await asyncio.gather(*waiting)

    assert channel.unacknowledged == {message.delivery_tag for message in in_hand}
