"""A deployment's Temporal Schedules: read, written and deleted one by one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Memo, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import (
    Schedule,
    ScheduleAction,
    SchedulePolicies,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListSchedulesRequest,
    UpdateScheduleRequest,
)
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.converter import encode_search_attributes
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.errors import ScheduleUnreadable
from hatchet_router.job_runs import JOBS_MEMO, encoded_input, search_attributes_of, summary_of
from hatchet_router.schedule_notes import NOTE, ScheduleNote, note_from_json
from hatchet_router.wanted_schedules import WantedSchedule
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_schemas.names import ENCRYPTED

__all__ = ["OVERLAP_POLICIES", "KeptSchedule", "ScheduleStore"]

OVERLAP_POLICIES: Final = MappingProxyType(
    {
        "skip": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP,
        "buffer": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
        "allow": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
        "cancel": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
    }
)
"""What a trigger's ``overlap`` is called in Temporal."""

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_PAGE: Final = 1000  # schedules


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """A schedule as Temporal keeps it; without a ``note`` it is not ours.

    One that ``is_outdated`` was encrypted by another key than what is written now, or by none: it
    is to be written anew before its key is forgotten.
    """

    id: str
    note: ScheduleNote | None
    description: DescribeScheduleResponse
    is_outdated: bool = False


class ScheduleStore:
    """Reads and writes the schedules of one deployment in the namespace of ``client``.

    ``search_attributes`` says whether the namespace knows ours. All methods raise
    `temporalio.service.RPCError` where Temporal does not answer, or refuses; nothing is tried
    again here.
    """

    def __init__(
        self,
        client: Client,
        deployment: str,
        *,
        search_attributes: bool = False,
        max_input_bytes: int = MAX_PAYLOAD_BYTES,
    ) -> None:
        self._client = client
        self._prefix = f"{deployment}/"
        self._deployment = deployment
        self._search_attributes = search_attributes
        self._max_input_bytes = max_input_bytes
        self._metadata_now: Mapping[str, bytes] | None = None

    async def ids(self) -> AsyncIterator[str]:
        """Yield the ids of the deployment's schedules; one just written may be missing yet."""
        page = b""
        while True:
            found = await self._client.workflow_service.list_schedules(
                ListSchedulesRequest(
                    namespace=self._client.namespace,
                    maximum_page_size=_PAGE,
                    next_page_token=page,
                    query=f'ScheduleId STARTS_WITH "{self._prefix}"',
                ),
                timeout=_RPC_TIMEOUT,
            )
            for entry in found.schedules:
                if entry.schedule_id.startswith(self._prefix):
                    yield entry.schedule_id
            page = found.next_page_token
            if not page:
                return

    async def read(self, schedule_id: str) -> KeptSchedule | None:
        """Return a schedule as it is now, or None if there is none.

        Raises:
            ScheduleUnreadable: it is encrypted, and there is no key for it.

        """
        try:
            description = await self._client.workflow_service.describe_schedule(
                DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id),
                timeout=_RPC_TIMEOUT,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        memo = description.schedule.action.start_workflow.memo.fields
        note = None
        if NOTE in memo:
            note = note_from_json(await self._decoded(schedule_id, memo[NOTE]))
        if note is None or note.deployment != self._deployment:
            return KeptSchedule(schedule_id, None, description)
        is_outdated = not await self._is_encoded_as_now(memo[NOTE])
        return KeptSchedule(schedule_id, note, description, is_outdated)

    async def _decoded(self, schedule_id: str, payload: Payload) -> bytes:
        try:
            [raw] = await self._client.data_converter.decode([payload], [RawValue])
        except Exception as error:
            raise ScheduleUnreadable(schedule_id, str(error)) from error
        if raw.payload.metadata.get("encoding") == ENCRYPTED:
            raise ScheduleUnreadable(
                schedule_id, "it is encrypted; set HATCHET_ENCRYPTION_KEYS as for other routers"
            )
        data: bytes = raw.payload.data
        return data

    async def _is_encoded_as_now(self, payload: Payload) -> bool:
        """Return whether ``payload`` would be encrypted again by the same key, or not at all."""
        if self._metadata_now is None:  # a client has the same keys for all its life
            [now] = await self._client.data_converter.encode([{}])
            self._metadata_now = dict(now.metadata)
        return self._metadata_now == dict(payload.metadata)

    async def create(self, wanted: WantedSchedule) -> bool:
        """Write a new schedule; return False if there is one of its id.

        Raises:
            JobRefused: the job's input would not fit into Temporal.

        """
        try:
            await self._client.workflow_service.create_schedule(
                CreateScheduleRequest(
                    namespace=self._client.namespace,
                    schedule_id=wanted.id,
                    schedule=await self._schedule(wanted),
                    identity=self._client.identity,
                    request_id=str(uuid.uuid4()),
                ),
                timeout=_RPC_TIMEOUT,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:
                return False
            raise
        return True

    async def update(self, kept: KeptSchedule, wanted: WantedSchedule) -> None:
        """Write over a schedule, all but its state: one that is paused stays paused.

        Temporal does not say whether it has done so: it does nothing if somebody else has changed
        the schedule since it was read, or deleted it.

        Raises:
            JobRefused: the job's input would not fit into Temporal.

        """
        schedule = await self._schedule(wanted)
        schedule.state.CopyFrom(kept.description.schedule.state)
        await self._client.workflow_service.update_schedule(
            UpdateScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=wanted.id,
                schedule=schedule,
                conflict_token=kept.description.conflict_token,
                identity=self._client.identity,
                request_id=str(uuid.uuid4()),
            ),
            timeout=_RPC_TIMEOUT,
        )

    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule, if there is one; what it has started goes on."""
        try:
            await self._client.workflow_service.delete_schedule(
                DeleteScheduleRequest(
                    namespace=self._client.namespace,
                    schedule_id=schedule_id,
                    identity=self._client.identity,
                ),
                timeout=_RPC_TIMEOUT,
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _schedule(self, wanted: WantedSchedule) -> Schedule:
        cron = wanted.cron
        return Schedule(
            spec=ScheduleSpec(
                cron_string=[wanted.note.expression],
                timezone_name=cron.timezone,
                jitter=_duration(cron.jitter),
            ),
            action=ScheduleAction(start_workflow=await self._run(wanted)),
            policies=SchedulePolicies(
                overlap_policy=OVERLAP_POLICIES[cron.overlap],
                catchup_window=_duration(cron.catch_up),
            ),
            state=ScheduleState(),
        )

    async def _run(self, wanted: WantedSchedule) -> NewWorkflowExecutionInfo:
        job_input, of, note, summary = await self._client.data_converter.encode(
            [
                encoded_input(wanted.input, self._max_input_bytes),
                wanted.of,
                wanted.note.model_dump(mode="json"),
                summary_of(wanted.input),
            ]
        )
        run = NewWorkflowExecutionInfo(
            workflow_id=wanted.workflow_id,
            workflow_type=WorkflowType(name=wanted.input.job),
            task_queue=TaskQueue(name=wanted.task_queue),
            input=Payloads(payloads=[job_input]),
            workflow_execution_timeout=_duration(wanted.timeout),
            memo=Memo(fields={JOBS_MEMO: of, NOTE: note}),
            user_metadata=UserMetadata(summary=summary),
        )
        if self._search_attributes:
            encode_search_attributes(search_attributes_of(wanted.input), run.search_attributes)
        return run


def _duration(span: timedelta | None) -> Duration | None:
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
