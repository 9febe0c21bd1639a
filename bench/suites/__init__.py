"""What is measured: each module is a suite."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bench.suites import (
    cold_start,
    decoding,
    jobs,
    latency,
    memory,
    peers,
    router_efficiency,
    routing_table,
    unwanted,
)
from bench.suites.registry import Suite

__all__ = ["SUITES"]

SUITES: Final[Mapping[str, Suite]] = MappingProxyType(
    {
        suite.name: suite
        for suite in (
            router_efficiency.measure,
            latency.measure,
            jobs.measure,
            routing_table.measure,
            decoding.measure,
            unwanted.measure,
            memory.measure,
            cold_start.measure,
            peers.measure,
        )
    }
)
"""All suites by their names, in the order in which they are run."""
