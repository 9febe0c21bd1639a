"""What the starter makes of a real Temporal's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from hatchet_cli.devstack import DevStack
from hatchet_router.errors import JobRefused, TemporalUnavailable
from hatchet_router.planning import StartRequest, plan
from hatchet_router.temporal import TemporalStarter
from hatchet_schemas import Definition, Event


@pytest.fixture
def request_for(define: Callable[..., Definition], name: str) -> Callable[..., StartRequest]:
    """Make the start of one job, of an event with this text in it."""

    def make(text: str = "") -> StartRequest:
        event = Event(id=name, key="a", time=datetime.now(UTC), data={"text": text})
        (request,) = plan(event, [define(name, "a").workflow])
        return request

    return make


async def elsewhere(stack: DevStack) -> Client:
    """Connect to a namespace that there is not."""
    return await Client.connect(
        stack.temporal.address, namespace="nowhere", data_converter=pydantic_data_converter
    )


async def test_a_temporal_that_takes_starts_is_available(client: Client) -> None:
    """It is asked at once, and nothing is started by asking."""
    async with asyncio.timeout(30):
        await TemporalStarter(client).available()


async def test_a_missing_namespace_is_waited_for(
    stack: DevStack, request_for: Callable[..., StartRequest]
) -> None:
    """It is no fault of the event's, and no start is tried before it is there."""
    starter = TemporalStarter(await elsewhere(stack))

    with pytest.raises(TemporalUnavailable, match=r"namespace 'nowhere' \(NOT_FOUND\)"):
        await starter.start(request_for())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await starter.available()


async def test_an_input_that_is_too_large_is_refused_before_it_is_sent(
    stack: DevStack, request_for: Callable[..., StartRequest]
) -> None:
    """The reason tells the sizes; this Temporal would have had another reason."""
    starter = TemporalStarter(await elsewhere(stack), max_input_bytes=10_000)

    with pytest.raises(JobRefused, match=r"has 10,\d{3} bytes, of which the event 10,\d{3}"):
        await starter.start(request_for("x" * 10_000))


async def test_the_input_is_what_a_client_would_have_sent(
    client: Client, request_for: Callable[..., StartRequest]
) -> None:
    """Encoded once by us, it reads as JSON for everyone."""
    request = request_for("ä")
    await TemporalStarter(client).start(request)

    history = await client.get_workflow_handle(request.workflow_id).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    (payload,) = started.input.payloads

    (expected,) = pydantic_data_converter.payload_converter.to_payloads([request.input])
    assert payload.data == expected.data
    assert payload.metadata["encoding"] == expected.metadata["encoding"]
