"""What is read of schedules, without Temporal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from unittest.mock import AsyncMock, Mock

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.converter import DataConverter, PayloadCodec

from hatchet_router.schedule_notes import NOTE, ScheduleNote
from hatchet_router.schedule_store import ScheduleStore

SCHEDULED = ScheduleNote(
    deployment="production",
    workflow="Report",
    job="send",
    slot=1,
    schedule="@daily",
    timezone="UTC",
    overlap="skip",
    catch_up="1h",
    jitter="0s",
    expression="0 0 * * *",
    fingerprint="f-1",
)


class Codec(PayloadCodec):
    """Names a key, and counts what it encrypts."""

    def __init__(self, key: str) -> None:
        self.encoded = 0
        self._key = key.encode()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads with the name of the key."""
        self.encoded += len(payloads)
        return [
            Payload(metadata={"key": self._key}, data=payload.SerializeToString())
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads as they were, whatever the key."""
        return [Payload.FromString(payload.data) for payload in payloads]


async def store_of(note: ScheduleNote, *, written: Codec, now: Codec) -> ScheduleStore:
    """Return a store in which each schedule has this note."""
    by = dataclasses.replace(DataConverter.default, payload_codec=written)
    [payload] = await by.encode([note.model_dump(mode="json")])
    description = DescribeScheduleResponse()
    description.schedule.action.start_workflow.memo.fields[NOTE].CopyFrom(payload)
    client = Mock(namespace="default")
    client.data_converter = dataclasses.replace(DataConverter.default, payload_codec=now)
    client.workflow_service.describe_schedule = AsyncMock(return_value=description)
    return ScheduleStore(client, note.deployment)


@pytest.mark.parametrize(("key", "outdated"), [("old", False), ("new", True)])
async def test_a_schedule_says_whether_it_is_encrypted_as_now(key: str, *, outdated: bool) -> None:
    """One of another key is to be written anew; what it does is another matter."""
    store = await store_of(SCHEDULED, written=Codec("old"), now=Codec(key))

    kept = await store.read("production/Report/send")

    assert kept is not None
    assert (kept.note, kept.is_outdated) == (SCHEDULED, outdated)


async def test_nothing_is_encrypted_for_each_schedule_that_is_read() -> None:
    """A thousand schedules are read whenever files are loaded; the key is the same for all."""
    codec = Codec("k")
    store = await store_of(SCHEDULED, written=codec, now=codec)
    written = codec.encoded

    for _ in range(5):
        await store.read("production/Report/send")

    assert codec.encoded <= written + 1
