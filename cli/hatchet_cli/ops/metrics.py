"""The page ``/metrics``: our own metrics, those of Python and the process, and Temporal's."""

from __future__ import annotations

import asyncio
import http.client
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final, TypeVar

import structlog
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from hatchet_cli.ops.health import Health
from hatchet_cli.ops.server import Page, Response
from hatchet_schemas.distributions import Distribution

__all__ = ["counter", "gauge", "health_metrics", "histogram", "metrics_page"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.ops")

# The text format of Prometheus, not OpenMetrics: it is what Temporal's core writes.
_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_CORE_SECONDS: Final = 3.0


def metrics_page(collect: Callable[[], Iterable[Metric]], core_port: int | None) -> Page:
    """Return the page that tells what ``collect`` gives, and what Temporal's core measures.

    The core serves its metrics on a port of the loopback interface; they are fetched from there,
    so that one port has everything. None where it serves none.
    """
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    registry.register(_Ours(collect))

    async def page() -> Response:
        own = generate_latest(registry)
        core = b"" if core_port is None else await asyncio.to_thread(_core_metrics, core_port)
        return Response(own + core, _CONTENT_TYPE)

    return page


class _Ours(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()


def _core_metrics(port: int) -> bytes:
    # Not by urllib, which would ask a proxy where one is set.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CORE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        _log.warning("ops.core_metrics_missing", reason=f"{type(error).__name__}: {error}")
        return b""
    finally:
        connection.close()


def health_metrics(process: str, health: Health, places: Iterable[str]) -> Iterator[Metric]:
    """Yield what `Health` says of a ``router``, a ``worker`` and the like, by 0 and 1."""
    info = GaugeMetricFamily("hatchet_info", "The version that runs.", labels=("version",))
    info.add_metric([version("hatchet-workflows")], 1)
    yield info
    yield gauge(f"hatchet_{process}_ready", "Whether it does its work.", int(health.is_ready))
    troubles = {trouble.place for trouble in health.troubles}
    at_places = {place: int(place in troubles) for place in places}
    if at_places:
        text = "Whether something is wrong at a place."
        yield gauge(f"hatchet_{process}_trouble", text, at_places, label="place")


Labels = str | tuple[str, ...]
"""The name of a label, or the names of several; or their values."""

_Values = TypeVar("_Values", bound=Labels)


def counter(
    name: str, text: str, value: float | Mapping[_Values, int], *, label: Labels = ()
) -> Metric:
    """Return a counter, with a value for each value of ``label``, or labels, if there is one."""
    family = CounterMetricFamily(name, text, labels=_several(label))
    _fill(family, value)
    return family


def gauge(
    name: str, text: str, value: float | Mapping[_Values, int], *, label: Labels = ()
) -> Metric:
    """Return a gauge, likewise."""
    family = GaugeMetricFamily(name, text, labels=_several(label))
    _fill(family, value)
    return family


def _several(labels: Labels) -> tuple[str, ...]:
    return (labels,) if isinstance(labels, str) else labels


def _fill(
    family: CounterMetricFamily | GaugeMetricFamily, value: float | Mapping[_Values, int]
) -> None:
    if isinstance(value, Mapping):
        for labelled, each in value.items():
            family.add_metric(_several(labelled), each)
    else:
        family.add_metric([], value)


def histogram(
    name: str,
    text: str,
    values: Distribution | dict[str, Distribution],
    *,
    label: str | None = None,
) -> Metric:
    """Return a histogram, likewise."""
    family = HistogramMetricFamily(name, text, labels=(label,) if label else ())
    by_label = values if isinstance(values, dict) else {"": values}
    for labelled, distribution in by_label.items():
        family.add_metric(
            [labelled] if label else [],
            [(_bound(bound), count) for bound, count in distribution.cumulative()],
            distribution.sum,
        )
    return family


def _bound(value: float) -> str:
    return "+Inf" if math.isinf(value) else str(float(value))
