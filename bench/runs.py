"""Running suites one after the other, each bounded in time, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.measurements import Measurement
from bench.suites.registry import Suite
from bench.workbench import Workbench

__all__ = ["SuiteResult", "run_suites"]


@dataclass(slots=True)
class SuiteResult:
    """What a suite has measured; ``error`` is why it did not come to its end."""

    name: str
    measurements: list[Measurement] = field(default_factory=list[Measurement])
    seconds: float = 0.0
    error: str | None = None


async def run_suites(
    suites: Iterable[Suite], bench: Workbench, tell: Callable[[str], None]
) -> list[SuiteResult]:
    """Run each of ``suites``; ``tell`` of each before and after it."""
    results: list[SuiteResult] = []
    for suite in suites:
        tell(f"{suite.name} ...")
        results.append(await _run(suite, bench))
        error = results[-1].error
        tell(f"{suite.name}: {results[-1].seconds:.0f} s{f', {error}' if error else ''}")
    return results


async def _run(suite: Suite, bench: Workbench) -> SuiteResult:
    result = SuiteResult(suite.name)
    began = time.monotonic()
    limit_seconds = bench.pick(suite.limit_seconds, suite.short_limit_seconds)
    try:
        async with asyncio.timeout(limit_seconds), bench.lifetime():
            async for measurement in suite.measure(bench):
                result.measurements.append(measurement)
    except TimeoutError as error:
        result.error = str(error) or f"did not come to its end in {limit_seconds:g} s"
    except asyncio.CancelledError as error:
        # aio-pika raises it as well, where a connection is closed under a call.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        result.error = f"a connection was lost: {error!r}"
    except Exception as error:  # noqa: BLE001 - whatever it is, the other suites shall be run
        bench.keep_trace(suite.name, "".join(traceback.format_exception(error)))
        result.error = f"{type(error).__name__}: {error}"
    result.seconds = time.monotonic() - began
    return result
