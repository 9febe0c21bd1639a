"""Spans of jobs and of their steps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    set_span_in_context,
)
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import SearchAttributeKey
from temporalio.converter import PayloadConverter
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from hatchet_schemas.names import CRON_EVENT_KEY, TRACE_HEADER
from hatchet_worker.job_spans import GivenIds, job_span_context
from hatchet_worker.jobs import JobWorkflow

__all__ = ["JobTracing"]

_MAX_CHARACTERS: Final = 300
_SCHEDULE_ID: Final = SearchAttributeKey.for_keyword("TemporalScheduledById")
_CONVERTER: Final = PayloadConverter.default


class JobTracing(Interceptor):
    """Makes a span of each job, below the router's, and below it one of each attempt of a step.

    The job's span is made when the job ends, by the worker that sees it end; a job that is
    terminated, or is over its timeout, has none.
    """

    def __init__(self, provider: TracerProvider) -> None:
        ids: IdGenerator = provider.id_generator
        if not isinstance(ids, GivenIds):
            setattr(provider, "id_generator", GivenIds(ids))  # noqa: B010 - it is typed as the default one
        self._provider = provider
        self._tracer = provider.get_tracer("hatchet.worker", version("hatchet-workflows"))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Trace steps."""
        return _Steps(next, self)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """Trace jobs."""
        tracing = self

        class Jobs(_Jobs):
            def __init__(self, next: WorkflowInboundInterceptor) -> None:  # noqa: A002 - the SDK's name
                super().__init__(next, tracing)

        return Jobs

    @property
    def tracer(self) -> Any:
        """What makes the spans."""
        return self._tracer

    @property
    def provider(self) -> TracerProvider:
        """Where they go."""
        return self._provider


class _Steps(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, tracing: JobTracing) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._tracing = tracing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        with self._tracing.tracer.start_as_current_span(
            f"step {info.activity_id}",
            context=_context_in(input.headers),
            kind=SpanKind.INTERNAL,
            attributes={
                "hatchet.job": info.workflow_type or "",
                "hatchet.step": info.activity_id,
                "hatchet.action": info.activity_type,
                "hatchet.attempt": info.attempt,
                "temporal.workflow_id": info.workflow_id or "",
                "temporal.run_id": info.workflow_run_id or "",
                "temporal.task_queue": info.task_queue,
            },
            # An exception's traceback may hold anything; its words are masked in the status.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                outputs = await super().execute_activity(input)
            except asyncio.CancelledError:
                span.set_attribute("hatchet.outcome", "cancelled")
                raise
            except Exception as error:
                _tell_failure(span, error)
                raise
            span.set_attribute("hatchet.outcome", "completed")
            return outputs


class _Jobs(WorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor, tracing: JobTracing) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._tracing = tracing
        self.step_headers: dict[str, Payload] = {}

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_StepHeaders(outbound, self))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        info = workflow.info()
        above = _context_in(input.headers)
        known_by = job_span_context(
            above, info.run_id, info.workflow_type, self._tracing.provider.sampler
        )
        context = set_span_in_context(NonRecordingSpan(known_by), above)
        self.step_headers = _headers_of(context)
        # For what the job logs; the task ends with the job, and its context with it.
        otel_context.attach(context)
        try:
            result = await super().execute_workflow(input)
        except (FailureError, asyncio.CancelledError) as error:
            # A worker that lets go of a job cancels it here, too; nobody has asked for that.
            if not is_cancelled_exception(error) or workflow.cancellation_reason() is not None:
                self._ended(above, known_by, error)
            raise
        self._ended(above, known_by, None)
        return result

    def _ended(self, above: Context, known_by: SpanContext, error: BaseException | None) -> None:
        """Make the job's span, but not again where the job is replayed."""
        if workflow.unsafe.is_replaying():
            return
        info = workflow.info()
        name, attributes = _described(info)
        with GivenIds.giving(known_by):
            span = self._tracing.tracer.start_span(
                name,
                context=above,
                kind=SpanKind.CONSUMER,
                attributes=attributes,
                start_time=_nanoseconds(info.workflow_start_time),
            )
        if error is None:
            span.set_attribute("hatchet.outcome", "completed")
        elif is_cancelled_exception(error):
            span.set_attribute("hatchet.outcome", "cancelled")
        else:
            _tell_failure(span, error)
        span.end(workflow.time_ns())


class _StepHeaders(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, jobs: _Jobs) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._jobs = jobs

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - the SDK's name
        input.headers = {**input.headers, **self._jobs.step_headers}
        return super().start_activity(input)

    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002 - the SDK's name
    ) -> workflow.ActivityHandle[Any]:
        input.headers = {**input.headers, **self._jobs.step_headers}
        return super().start_local_activity(input)


def _described(info: workflow.Info) -> tuple[str, dict[str, str]]:
    """Return the name and the attributes of the span of the job that runs."""
    attributes = {
        "hatchet.job": info.workflow_type,
        "temporal.workflow_id": info.workflow_id,
        "temporal.run_id": info.run_id,
        "temporal.task_queue": info.task_queue,
    }
    running = workflow.instance()
    job_input = running.job_input if isinstance(running, JobWorkflow) else None
    if job_input is None:
        return f"job {info.workflow_type}", attributes
    attributes["hatchet.workflow"] = job_input.workflow
    attributes["hatchet.event.key"] = job_input.event.key[:_MAX_CHARACTERS]
    attributes["hatchet.event.id"] = job_input.event.id[:_MAX_CHARACTERS]
    if job_input.event.key == CRON_EVENT_KEY:
        attributes["hatchet.scheduled_time"] = job_input.event.time.isoformat()
        # Temporal's own; a run that somebody started by hand has none.
        if schedule_id := info.typed_search_attributes.get(_SCHEDULE_ID):
            attributes["hatchet.schedule.id"] = schedule_id[:_MAX_CHARACTERS]
    return f"job {job_input.workflow}/{job_input.job}", attributes


def _tell_failure(span: Span, error: BaseException) -> None:
    kind = (error.type if isinstance(error, ApplicationError) else None) or type(error).__name__
    span.set_attributes({"hatchet.outcome": "failed", "error.type": kind})
    span.set_status(StatusCode.ERROR, str(error)[:_MAX_CHARACTERS])


def _headers_of(context: Context) -> dict[str, Payload]:
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    return {TRACE_HEADER: _CONVERTER.to_payload(carrier)} if carrier else {}


def _context_in(headers: Mapping[str, Payload]) -> Context:
    """Return the context that a header bears; an empty one where it bears none."""
    payload = headers.get(TRACE_HEADER)
    if payload is None:
        return Context()
    carrier: Any = _CONVERTER.from_payload(payload)
    return propagate.extract(carrier if isinstance(carrier, dict) else {}, Context())


def _nanoseconds(time: datetime) -> int:
    return int(time.timestamp() * 1e9)
