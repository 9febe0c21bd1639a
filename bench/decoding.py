"""What it costs to make an event of a message, as multiples of ``json.loads`` of its body.

    python bench/decoding.py

Each line is the best of several rounds. The first three are the hot path: JSON, and no header.
"""

from __future__ import annotations

import gzip
import json
import timeit
from typing import Any

from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection

ROUNDS = 9
SECONDS = 0.05

SMALL = {"username": "ada", "email": "ada@example.org", "plan": {"name": "pro", "seats": 5}}
ORDER = {
    "id": 4711,
    "at": "2026-01-02T03:04:05Z",
    "lines": [
        {"sku": f"sku-{i}", "quantity": i, "price": i * 1.1, "url": "https://example.org/ä"}
        for i in range(25)
    ],
}
ROWS = {"rows": [{"id": i, "name": f"name {i}", "share": i / 7, "ok": True} for i in range(3400)]}
TASK = "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de"
CLOUD_EVENT = {"id": "A234", "source": "/shop", "type": "paid", "specversion": "1.0"}
TIME = "2026-01-02T03:04:05Z"


def delivery(body: bytes, **properties: Any) -> Delivery:
    """Return a message as the router gets it."""
    return Delivery(body, "order.paid", "e-1", **properties)


def microseconds(statement: Any) -> float:
    """Return the shortest time that ``statement`` took."""
    timer = timeit.Timer(statement)
    number = max(1, int(SECONDS / max(timer.timeit(1), 1e-7)))
    return min(timer.repeat(ROUNDS, number)) / number * 1e6


def main() -> None:
    """Print what each kind of message takes."""
    small, order, rows = (json.dumps(data).encode() for data in (SMALL, ORDER, ROWS))
    json_type = {"content_type": "application/json"}
    headers = {f"ce-{name}": value for name, value in CLOUD_EVENT.items()} | {"ce-time": TIME}
    structured = json.dumps({**CLOUD_EVENT, "time": TIME, "data": SMALL}).encode()
    messages = {
        "plain, small": delivery(small, **json_type),
        "plain, an order": delivery(order, **json_type),
        "plain, large": delivery(rows, **json_type),
        "plain, five headers": delivery(small, headers={f"x-{i}": "value" for i in range(5)}),
        "CloudEvent, binary": delivery(small, headers=headers, **json_type),
        "CloudEvent, structured": delivery(
            structured, content_type="application/cloudevents+json; charset=UTF-8"
        ),
        "Celery": delivery(
            b"[[], %b, null]" % small, headers={"task": "t", "id": TASK}, **json_type
        ),
        "gzip": delivery(gzip.compress(order), content_encoding="gzip"),
    }
    for name, message in messages.items():
        outcome = decode(message)
        if isinstance(outcome, Rejection):
            raise SystemExit(f"{name}: {outcome.message}")
        plain = json.dumps(outcome.data).encode()
        base = microseconds(lambda plain=plain: json.loads(plain))
        taken = microseconds(lambda message=message: decode(message))
        print(  # noqa: T201
            f"{name:22} {len(message.body):7,} bytes {taken:9.1f} us {taken / base:6.2f} json.loads"
        )


if __name__ == "__main__":
    main()
