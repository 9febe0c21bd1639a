"""What is told of a router that does not do its work."""

from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from hatchet_router.readiness import Readiness, Trouble

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_trouble_has_begun_when_it_was_first_noticed() -> None:
    """However often it is noticed again, and whatever else is found to be the reason."""
    now = NOON
    readiness = Readiness(lambda: now)

    readiness.trouble("rabbitmq", "the connection was closed")
    now += timedelta(minutes=1)
    readiness.trouble("rabbitmq", "nothing is listening there")
    readiness.trouble("workflows", "older files are in force")

    assert readiness.report() == (
        Trouble("rabbitmq", "nothing is listening there", NOON),
        Trouble("workflows", "older files are in force", now, harmless=True),
    )
    readiness.mended("rabbitmq")
    assert [trouble.place for trouble in readiness.report()] == ["workflows"]


def test_one_that_comes_back_begins_anew() -> None:
    """Else it would seem to have lasted all the while."""
    now = NOON
    readiness = Readiness(lambda: now)
    readiness.trouble("queues", "no")
    readiness.mended("queues")
    now += timedelta(hours=1)

    readiness.trouble("queues", "no")

    assert [trouble.since for trouble in readiness.report()] == [now]


def test_each_change_is_logged_once() -> None:
    """Troubles are noticed again every few seconds."""
    readiness = Readiness()
    with capture_logs() as logs:
        for _ in range(3):
            readiness.trouble("queues", "no")
        readiness.trouble("schedules", "no")
        for _ in range(3):
            readiness.mended("queues")

    assert [log["event"] for log in logs] == [
        "router.not_ready",
        "router.degraded",
        "router.mended",
    ]
