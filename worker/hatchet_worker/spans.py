"""Where jobs are traced: nothing is loaded where the program has set up no OpenTelemetry."""

from __future__ import annotations

import sys

from temporalio.worker import Interceptor

__all__ = ["tracing_interceptors"]


def tracing_interceptors() -> list[Interceptor]:
    """Return what traces the jobs of a worker, if the program has set a provider of tracers."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return []
    from opentelemetry import trace  # noqa: PLC0415 - loaded where it is used
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - likewise

    from hatchet_worker.tracing import JobTracing  # noqa: PLC0415 - likewise

    provider = trace.get_tracer_provider()
    return [JobTracing(provider)] if isinstance(provider, TracerProvider) else []
