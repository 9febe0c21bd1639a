"""What it costs to make an event of a message."""

from __future__ import annotations

import gzip
import json
import timeit
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final

from bench.measurements import Measurement, interleaved
from bench.processes import MeasuringFailed
from bench.suites.registry import suite
from bench.workbench import Workbench
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection

_SECONDS: Final = 0.02

_SMALL: Final = {"username": "ada", "email": "ada@example.org", "plan": {"name": "pro", "seats": 5}}
_ORDER: Final = {
    "id": 4711,
    "at": "2026-01-02T03:04:05Z",
    "lines": [
        {"sku": f"sku-{i}", "quantity": i, "price": i * 1.1, "url": "https://example.org/ä"}
        for i in range(25)
    ],
}
_ROWS: Final = {
    "rows": [{"id": i, "name": f"name {i}", "share": i / 7, "ok": True} for i in range(3400)]
}
_TASK: Final = "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de"
_CLOUD_EVENT: Final = {"id": "A234", "source": "/shop", "type": "paid", "specversion": "1.0"}
_TIME: Final = "2026-01-02T03:04:05Z"


@suite("decoding")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """The making of an event of a message, beside json.loads of what it holds."""
    for name, message in _messages().items():
        outcome = decode(message)
        if isinstance(outcome, Rejection):
            raise MeasuringFailed(f"{name}: {outcome.message}")
        plain = json.dumps(outcome.data).encode()
        figures, limits = await interleaved(
            bench.pick(9, 5),
            _timed(partial(decode, message)),
            _timed(partial(json.loads, plain)),
        )
        yield Measurement(
            f"{name}, {len(message.body):,} bytes", "µs", figures, limits, None, "json.loads"
        )


def _messages() -> dict[str, Delivery]:
    """Return messages as publishers send them; the first three are the hot path."""
    small, order, rows = (json.dumps(data).encode() for data in (_SMALL, _ORDER, _ROWS))
    json_type = {"content_type": "application/json"}
    headers = {f"ce-{name}": value for name, value in _CLOUD_EVENT.items()} | {"ce-time": _TIME}
    structured = json.dumps({**_CLOUD_EVENT, "time": _TIME, "data": _SMALL}).encode()
    return {
        "plain, small": _delivery(small, **json_type),
        "plain, an order": _delivery(order, **json_type),
        "plain, large": _delivery(rows, **json_type),
        "plain, five headers": _delivery(
            small, headers={f"x-{i}": "value" for i in range(5)}, **json_type
        ),
        "CloudEvent, binary": _delivery(small, headers=headers, **json_type),
        "CloudEvent, structured": _delivery(
            structured, content_type="application/cloudevents+json; charset=UTF-8"
        ),
        "Celery": _delivery(
            b"[[], %b, null]" % small, headers={"task": "t", "id": _TASK}, **json_type
        ),
        "gzip": _delivery(gzip.compress(order), content_encoding="gzip"),
    }


def _delivery(body: bytes, **properties: Any) -> Delivery:
    return Delivery(body, "order.paid", "e-1", **properties)


def _timed(statement: Callable[[], object]) -> Callable[[], Any]:
    """Return what measures the microseconds of ``statement``."""
    timer = timeit.Timer(statement)
    number = max(1, int(_SECONDS / max(timer.timeit(1), 1e-7)))

    async def microseconds() -> float:
        return timer.timeit(number) / number * 1e6

    return microseconds
