"""Traces by OpenTelemetry, exported where its own environment variables say."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from hatchet_cli.exiting import CommandError, ExitCode

__all__ = ["is_wanted", "tracing"]

_FLUSH_SECONDS: Final = 5.0
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether OpenTelemetry's variables ask for traces: they name where these go."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER")
    if exporter:
        return "otlp" in exporter.split(",")
    return any(environment.get(name) for name in _ENDPOINTS)


@contextmanager
def tracing(service: str) -> Generator[None]:
    """Export traces for the time of the block, if the environment asks for them.

    ``service`` is the name of the process where ``OTEL_SERVICE_NAME`` gives none. A program that
    has set up OpenTelemetry already keeps what it has. What is left is exported at the end, within
    five seconds.

    Raises:
        CommandError: what is asked for is not installed, or not spoken.

    """
    if not is_wanted(os.environ):
        yield
        return
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _PROTOCOL)
    if protocol != _PROTOCOL:
        raise CommandError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: traces are sent by {_PROTOCOL} alone; "
            "collectors take it at port 4318",
            ExitCode.USAGE,
        )
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise CommandError(
            f"OpenTelemetry's variables ask for traces, and {error.name} is not installed: "
            "pip install 'hatchet-workflows[otel]', or set OTEL_SDK_DISABLED=true",
            ExitCode.USAGE,
        ) from None
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        yield
        return
    from importlib.metadata import version

    names = {SERVICE_VERSION: version("hatchet-workflows")}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        names[SERVICE_NAME] = service
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # In a thread, since a collector that is away would be waited for.
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(_FLUSH_SECONDS)
