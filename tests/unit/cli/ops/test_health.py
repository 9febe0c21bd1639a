"""What probes are answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hatchet_cli.ops.health import Health, health_pages
from hatchet_router.readiness import Readiness
from hatchet_router.status import Phase


@pytest.fixture
def readiness() -> Readiness:
    """Readiness whose clock stands still."""
    return Readiness(lambda: datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))


def healthy_in(phase: Phase, readiness: Readiness) -> Callable[[], Health]:
    """Return how a router is."""
    return lambda: Health(phase, readiness.report())


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_process_lives_whatever_is_wrong(phase: Phase, readiness: Readiness) -> None:
    readiness.trouble("rabbitmq", "nothing is listening there")

    response = await health_pages(healthy_in(phase, readiness))["/livez"]()

    assert (response.status, response.body) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("phase", "place", "state", "status"),
    [
        (Phase.STARTING, None, "starting", 503),
        (Phase.RUNNING, None, "ready", 200),
        (Phase.RUNNING, "rabbitmq", "not-ready", 503),
        (Phase.RUNNING, "workflows", "degraded", 200),
        (Phase.STOPPING, "workflows", "stopping", 503),
    ],
)
async def test_only_a_process_that_does_its_work_is_ready(
    readiness: Readiness, phase: Phase, place: str | None, state: str, status: int
) -> None:
    if place:
        readiness.trouble(place, "no")

    response = await health_pages(healthy_in(phase, readiness))["/readyz"]()

    body = json.loads(response.body)
    assert (response.status, body["state"], body["ready"]) == (status, state, status == 200)


async def test_a_trouble_is_told_with_its_reason_and_since_when(readiness: Readiness) -> None:
    readiness.trouble("schedules", "1 of 2 could not be written")

    response = await health_pages(healthy_in(Phase.RUNNING, readiness))["/readyz"]()

    assert response.content_type == "application/json"
    assert json.loads(response.body)["troubles"] == [
        {
            "place": "schedules",
            "reason": "1 of 2 could not be written",
            "since": "2026-01-02T03:04:05+00:00",
            "harmless": True,
        }
    ]
