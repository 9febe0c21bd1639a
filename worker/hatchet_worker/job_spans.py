"""The identity of a job's span, which every worker that has a part in the job works out alike.

A job may move between workers and is replayed, while a span is an object in one process. So the
span is made when the job ends, and its ids come from those of the run: what its steps name as
their parent is known from the start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import SpanContext, TraceFlags, get_current_span

__all__ = ["GivenIds", "job_span_context"]

_given: ContextVar[SpanContext | None] = ContextVar("hatchet_given_ids", default=None)


class GivenIds(IdGenerator):
    """Gives the ids of a span that is made elsewhere, if told so, else those of ``others``."""

    def __init__(self, others: IdGenerator) -> None:
        self._others = others

    def generate_span_id(self) -> int:
        """Return the id of the next span."""
        given = _given.get()
        return self._others.generate_span_id() if given is None else given.span_id

    def generate_trace_id(self) -> int:
        """Return the id of the next trace."""
        given = _given.get()
        return self._others.generate_trace_id() if given is None else given.trace_id

    def is_trace_id_random(self) -> bool:
        """Return whether ids of traces are random."""
        return self._others.is_trace_id_random()

    @staticmethod
    @contextmanager
    def giving(span_context: SpanContext) -> Generator[None]:
        """Give the ids of ``span_context`` for the time of the block."""
        token = _given.set(span_context)
        try:
            yield
        finally:
            _given.reset(token)


_NAMESPACE: Final = b"hatchet job span\0"


def job_span_context(parent: Context, run_id: str, name: str, sampler: Sampler) -> SpanContext:
    """Return what the span of a run is known by.

    It belongs to the trace of the span in ``parent``. Where there is none, as where the clock
    starts a job, it begins a trace of its own, and ``sampler`` decides whether that is kept.
    """
    digest = hashlib.sha256(_NAMESPACE + run_id.encode()).digest()
    span_id = int.from_bytes(digest[:8], "big") or 1
    above = get_current_span(parent).get_span_context()
    if above.is_valid:
        return SpanContext(
            above.trace_id,
            span_id,
            is_remote=False,
            trace_flags=above.trace_flags,
            trace_state=above.trace_state,
        )
    trace_id = int.from_bytes(digest[8:24], "big") or 1
    decision = sampler.should_sample(parent, trace_id, name).decision
    is_sampled = decision is Decision.RECORD_AND_SAMPLE
    flags = TraceFlags(TraceFlags.SAMPLED if is_sampled else TraceFlags.DEFAULT)
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags)
