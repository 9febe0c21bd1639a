"""Which span a job has: known by all workers, before it is made."""

from __future__ import annotations

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from hatchet_worker.job_spans import GivenIds, job_span_context


def below(trace_id: int, *, sampled: bool) -> Context:
    """Return a context with a span of the router's."""
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    span = NonRecordingSpan(SpanContext(trace_id, 7, is_remote=True, trace_flags=flags))
    return set_span_in_context(span, Context())


@pytest.mark.parametrize("sampled", [True, False])
def test_a_job_belongs_to_the_trace_of_its_event(sampled: bool) -> None:  # noqa: FBT001 - a case
    """Whether that is kept has been decided where it began."""
    parent = below(11, sampled=sampled)

    found = job_span_context(parent, "run-1", "job", ALWAYS_ON)

    assert (found.trace_id, found.trace_flags.sampled) == (11, sampled)
    assert found == job_span_context(parent, "run-1", "job", ALWAYS_OFF)
    assert found.span_id != job_span_context(parent, "run-2", "job", ALWAYS_ON).span_id


def test_a_time_begins_a_trace_of_its_own() -> None:
    """Each of them another."""
    found = job_span_context(Context(), "run-1", "job", ALWAYS_ON)

    assert found.is_valid
    assert found == job_span_context(Context(), "run-1", "job", ALWAYS_ON)
    assert found.trace_id != job_span_context(Context(), "run-2", "job", ALWAYS_ON).trace_id


def test_what_is_sampled_of_times_is_what_the_span_will_be() -> None:
    """Else there would be steps of jobs that have no span, or the other way round."""
    sampler = TraceIdRatioBased(0.5)
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider_ids: object = GivenIds(RandomIdGenerator())
    vars(provider)["id_generator"] = provider_ids
    tracer = provider.get_tracer("test")
    decided: set[bool] = set()

    for number in range(40):
        known_by = job_span_context(Context(), f"run-{number}", "job", sampler)
        with GivenIds.giving(known_by):
            span = tracer.start_span("job", Context())
        made = span.get_span_context()
        assert (made.trace_id, made.span_id) == (known_by.trace_id, known_by.span_id)
        assert made.trace_flags.sampled == known_by.trace_flags.sampled
        decided.add(made.trace_flags.sampled)

    assert decided == {True, False}


def test_other_spans_have_ids_of_their_own() -> None:
    """Those of the steps, and of users."""
    ids = GivenIds(RandomIdGenerator())

    assert ids.generate_span_id() != ids.generate_span_id()
    assert not get_current_span().get_span_context().is_valid
