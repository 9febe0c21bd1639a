"""When traces are exported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.tracing import is_wanted, tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_opentelemetry_s_own_variables_decide(
    environment: dict[str, str],
    wanted: bool,  # noqa: FBT001 - a case
) -> None:
    assert is_wanted(environment) is wanted


def test_a_protocol_that_is_not_spoken_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing would arrive, and nobody would say why."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with pytest.raises(CommandError, match="http/protobuf") as caught, tracing("hatchet-test"):
        pass

    assert caught.value.code is ExitCode.USAGE


def test_what_is_off_is_not_loaded() -> None:
    """Neither by the router nor by the worker, nor by an application that publishes."""
    script = (
        "import sys, hatchet_router.dispatcher, hatchet_router.service\n"
        "import hatchet_worker.worker, hatchet_cli.tracing\n"
        "from hatchet_worker.spans import tracing_interceptors\n"
        "from hatchet_router.spans import is_traced\n"
        "print(is_traced(), tracing_interceptors())\n"
        "print(*(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "[]"]
