"""Starting jobs in Temporal, each at most once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from enum import Enum, auto
from typing import Final

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest
from hatchet_schemas.names import SEARCH_ATTRIBUTES, escaped

__all__ = ["Decision", "TemporalStarter", "decide", "register_search_attributes"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_START_TIMEOUT: Final = timedelta(seconds=15)
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 10.0
# Temporal refuses values of more than 2,048 bytes as JSON, where a character has up to 12.
_MAX_KEYWORD_CHARACTERS: Final = 150


class Decision(Enum):
    """What to do about a start that failed."""

    TRY_AGAIN = auto()
    """Temporal is away, busy or unsure; the same start may succeed later."""
    REFUSE = auto()
    """Temporal understood the request and will not take it."""


_REFUSED: Final = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


def decide(status: RPCStatusCode) -> Decision:
    """Return what to do about ``status``, a gRPC status code.

    What a later attempt or an operator can mend (a server that is down, a permission, a missing
    namespace) is tried again, since the event is safe in its queue meanwhile. Only what is wrong
    with the request itself is refused.
    """
    return Decision.REFUSE if status in _REFUSED else Decision.TRY_AGAIN


class TemporalStarter:
    """Starts Temporal workflows under ids that no second start can take.

    ``client`` has to carry pydantic models (`temporalio.contrib.pydantic`), as the worker's does.
    """

    def __init__(self, client: Client, *, search_attributes: bool = False) -> None:
        self._client = client
        self._keys = (
            [SearchAttributeKey.for_keyword(name) for name in SEARCH_ATTRIBUTES]
            if search_attributes
            else []
        )

    async def start(self, request: StartRequest) -> bool:
        """Start a job; return False if it had been started before.

        A start whose outcome is unknown is tried again under the same id: REJECT_DUPLICATE with
        conflict policy FAIL gives one run, whether the first is running, completed or failed, as
        long as Temporal keeps its history.

        Raises:
            JobRefused: the request itself is not acceptable to Temporal.

        """
        wait_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                await self._start_once(request)
            except WorkflowAlreadyStartedError:
                return False
            except RPCError as error:
                if decide(error.status) is Decision.REFUSE:
                    raise JobRefused(
                        f"Temporal refused job {request.input.job!r} of workflow "
                        f"{request.input.workflow!r}: {error.message}"
                    ) from error
                _log.warning(
                    "job.start_delayed",
                    workflow_id=request.workflow_id,
                    status=error.status.name,
                    reason=error.message,
                    retry_in_seconds=round(wait_seconds, 1),
                )
            else:
                return True
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)

    async def _start_once(self, request: StartRequest) -> None:
        await self._client.start_workflow(
            request.workflow_type,
            request.input,
            id=request.workflow_id,
            task_queue=request.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            execution_timeout=request.timeout,
            memo={"hatchet_jobs": request.of},
            search_attributes=self._search_attributes(request),
            static_summary=f"{request.input.workflow} on {escaped(request.input.event.key)}",
            rpc_timeout=_START_TIMEOUT,
        )

    def _search_attributes(self, request: StartRequest) -> TypedSearchAttributes:
        job_input = request.input
        values = (
            job_input.workflow[:_MAX_KEYWORD_CHARACTERS],
            job_input.job,
            escaped(job_input.event.key),
            escaped(job_input.event.id),
        )
        # Without registered attributes there are no keys, and so no pairs.
        return TypedSearchAttributes(
            [
                SearchAttributePair(key, value)
                for key, value in zip(self._keys, values, strict=False)
            ]
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
        missing = [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(
                        missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
                    ),
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
