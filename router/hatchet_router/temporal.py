"""Starting jobs in Temporal, each at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.common import (
    RawValue,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.errors import JobRefused, TemporalUnavailable
from hatchet_router.job_runs import (
    JOBS_MEMO,
    encoded_input,
    search_attributes_of,
    summary_of,
)
from hatchet_router.outages import Outage, backoff
from hatchet_router.planning import StartRequest
from hatchet_router.readiness import Readiness
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_schemas.search_attributes import SEARCH_ATTRIBUTES

__all__ = [
    "DECISIONS",
    "Decision",
    "TemporalStarter",
    "decide",
    "register_search_attributes",
]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_START_TIMEOUT: Final = timedelta(seconds=15)
_KEYWORD: Final = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_PROBE_TIMEOUT: Final = timedelta(seconds=5)


class Decision(Enum):
    """What to do about a start that failed."""

    TRY_AGAIN = auto()
    """Temporal is away, busy or unsure: the same start may succeed in a moment."""
    PAUSE = auto()
    """Nothing can be started until an operator has mended something: take no more events."""
    REFUSE = auto()
    """Temporal understood the request and will never take it: the event is a dead letter."""


DECISIONS: Final[Mapping[RPCStatusCode, Decision]] = MappingProxyType(
    {
        RPCStatusCode.UNAVAILABLE: Decision.TRY_AGAIN,  # nobody listens, or it is shutting down
        RPCStatusCode.DEADLINE_EXCEEDED: Decision.TRY_AGAIN,  # it may have started: same id again
        RPCStatusCode.CANCELLED: Decision.TRY_AGAIN,  # how temporalio says "Timeout expired"
        RPCStatusCode.RESOURCE_EXHAUSTED: Decision.TRY_AGAIN,  # a rate limit
        RPCStatusCode.ABORTED: Decision.TRY_AGAIN,  # a conflict inside the server
        RPCStatusCode.INTERNAL: Decision.TRY_AGAIN,
        RPCStatusCode.UNKNOWN: Decision.TRY_AGAIN,
        RPCStatusCode.DATA_LOSS: Decision.TRY_AGAIN,
        RPCStatusCode.NOT_FOUND: Decision.PAUSE,  # no such namespace
        RPCStatusCode.PERMISSION_DENIED: Decision.PAUSE,
        RPCStatusCode.UNAUTHENTICATED: Decision.PAUSE,  # an API key that has expired
        RPCStatusCode.INVALID_ARGUMENT: Decision.REFUSE,  # too large, or a name it does not take
        RPCStatusCode.FAILED_PRECONDITION: Decision.REFUSE,
        RPCStatusCode.OUT_OF_RANGE: Decision.REFUSE,
        RPCStatusCode.UNIMPLEMENTED: Decision.REFUSE,
    }
)
"""What to do about each class of errors; about what is not listed, try again.

The event is safe in its queue all the while, so only what is wrong with the request itself is
refused. That the job is there already is no error.
"""


def decide(status: RPCStatusCode) -> Decision:
    """Return what to do about ``status``, a gRPC status code."""
    return DECISIONS.get(status, Decision.TRY_AGAIN)


class TemporalStarter:
    """Starts Temporal workflows under ids that no second start can take.

    ``client`` has to carry data as JSON (`temporalio.contrib.pydantic`), as the worker's does.
    ``max_input_bytes`` is the largest input of a job, event and definition, as JSON. ``readiness``
    is told when Temporal does not answer.
    """

    def __init__(
        self,
        client: Client,
        *,
        search_attributes: bool = False,
        max_input_bytes: int = MAX_PAYLOAD_BYTES,
        readiness: Readiness | None = None,
    ) -> None:
        self._client = client
        self._max_input_bytes = max_input_bytes
        self._outage = Outage(readiness=readiness)
        self._search_attributes = search_attributes

    async def start(self, request: StartRequest) -> bool:
        """Start a job; return False if it had been started before.

        A start whose outcome is unknown is tried again under the same id: REJECT_DUPLICATE with
        conflict policy FAIL gives one run, whether the first is running, completed or failed, as
        long as Temporal keeps its history.

        Raises:
            JobRefused: the request itself is not acceptable to Temporal.
            TemporalUnavailable: nothing can be started until an operator has mended something.

        """
        job_input = encoded_input(request.input, self._max_input_bytes)
        waits = backoff()
        with self._outage.waiting():
            while True:
                try:
                    await self._start_once(request, job_input)
                except WorkflowAlreadyStartedError:
                    self._outage.over()
                    return False
                except RPCError as error:
                    match decide(error.status):
                        case Decision.REFUSE:
                            self._outage.over()
                            raise JobRefused(
                                request.input.workflow,
                                request.input.job,
                                f"Temporal refused it: {error.message}",
                            ) from error
                        case Decision.PAUSE:
                            raise TemporalUnavailable(
                                f"Temporal does not let us start jobs in namespace "
                                f"{self._client.namespace!r} ({error.status.name}): {error.message}"
                            ) from error
                        case Decision.TRY_AGAIN:
                            pass
                    self._outage.failed(error.status.name, error.message)
                else:
                    self._outage.over()
                    return True
                await asyncio.sleep(next(waits))

    async def available(self) -> None:
        """Return when Temporal would take starts again; asks it again and again.

        It is asked to start a workflow without a name: one that may not, or has no such namespace,
        says so before it looks at the request, and one that finds fault with the request is there.
        """
        nameless = StartWorkflowExecutionRequest(namespace=self._client.namespace)
        waits = backoff()
        with self._outage.waiting():
            while True:
                try:
                    await self._client.workflow_service.start_workflow_execution(
                        nameless, timeout=_PROBE_TIMEOUT
                    )
                except RPCError as error:
                    if decide(error.status) is Decision.REFUSE:
                        self._outage.over()
                        return
                    self._outage.failed(error.status.name, error.message)
                await asyncio.sleep(next(waits))

    async def _start_once(self, request: StartRequest, job_input: RawValue) -> None:
        await self._client.start_workflow(
            request.workflow_type,
            job_input,
            id=request.workflow_id,
            task_queue=request.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            execution_timeout=request.timeout,
            memo={JOBS_MEMO: request.of},
            search_attributes=(
                search_attributes_of(request.input)
                if self._search_attributes
                else TypedSearchAttributes.empty
            ),
            static_summary=summary_of(request.input),
            rpc_timeout=_START_TIMEOUT,
        )


async def register_search_attributes(client: Client) -> bool:
    """Return whether the namespace knows our search attributes, after trying to register them.

    On Temporal Cloud, and wherever we may not, they are an administrator's to add; all works
    without them.
    """
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=_START_TIMEOUT
        )
        types = known.custom_attributes
        if any(types.get(name, _KEYWORD) != _KEYWORD for name in SEARCH_ATTRIBUTES):
            # Each start that bears one of another type is refused, and its event a dead letter.
            _log.warning(
                "search_attributes.unavailable",
                reason="one of them is of another type than Keyword: somebody else's, perhaps",
                hint="jobs run without them; hatchet doctor says which",
            )
            return False
        missing = [name for name in SEARCH_ATTRIBUTES if name not in types]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(missing, _KEYWORD),
                ),
                timeout=_START_TIMEOUT,
            )
    except RPCError as error:
        _log.warning(
            "search_attributes.unavailable",
            reason=error.message,
            hint="jobs run without them; ask an administrator to add "
            + ", ".join(SEARCH_ATTRIBUTES),
        )
        return False
    return True
