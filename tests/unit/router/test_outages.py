"""What is told about an outage, and how long is waited between attempts."""

from contextlib import ExitStack
from itertools import islice

from structlog.testing import capture_logs

from hatchet_router.outages import Outage, backoff
from hatchet_router.readiness import Readiness


def test_waits_grow_and_stay_short() -> None:
    """Whoever comes back is used again within seconds."""
    waits = list(islice(backoff(), 50))

    assert all(0.1 <= wait <= 3 for wait in waits)
    assert waits[0] <= 0.2
    assert min(waits[5:]) >= 1.5


def test_many_failures_are_told_once_a_minute() -> None:
    """As the log of a night would be unreadable otherwise, and its disk full."""
    now = 0.0
    outage = Outage(lambda: now)

    with capture_logs() as logs:
        for _ in range(1_500):
            outage.failed("UNAVAILABLE", "tcp connect error")
            now += 0.1
        outage.over()
        outage.over()
        outage.failed("UNAVAILABLE", "again")

    assert [(log["event"], log.get("for_seconds"), log.get("after_seconds")) for log in logs] == [
        ("temporal.unavailable", 0, None),
        ("temporal.unavailable", 60, None),
        ("temporal.unavailable", 120, None),
        ("temporal.available", None, 150.0),
        ("temporal.unavailable", 0, None),
    ]


def test_nothing_is_told_while_all_is_well() -> None:
    """It is called after every start."""
    with capture_logs() as logs:
        Outage().over()

    assert logs == []


def test_an_outage_of_more_than_five_seconds_is_a_trouble_until_it_is_over() -> None:
    """A call that fails once is none: the next one gets through."""
    now = 0.0
    readiness = Readiness()
    outage = Outage(lambda: now, readiness=readiness)

    outage.failed("RESOURCE_EXHAUSTED", "slow down")
    now = 4.0
    outage.failed("UNAVAILABLE", "tcp connect error")
    assert readiness.troubles == {}

    now = 5.1
    outage.failed("UNAVAILABLE", "tcp connect error")
    assert readiness.troubles == {"temporal": "it does not answer (UNAVAILABLE): tcp connect error"}
    outage.over()
    assert readiness.troubles == {}


def test_a_reason_that_is_known_better_stays() -> None:
    """Who has paused for it says when it is over."""
    now = 0.0
    readiness = Readiness()
    readiness.trouble("temporal", "no such namespace")
    outage = Outage(lambda: now, readiness=readiness)

    outage.failed("NOT_FOUND", "namespace")
    now = 60.0
    outage.failed("NOT_FOUND", "namespace")
    outage.over()

    assert readiness.troubles == {"temporal": "no such namespace"}


def test_an_outage_that_nobody_waits_for_any_more_is_forgotten() -> None:
    """Nobody is left who would notice its end: a router would be "not ready" while it is idle."""
    now = 0.0
    readiness = Readiness()
    outage = Outage(lambda: now, readiness=readiness)

    with ExitStack() as one, ExitStack() as other:
        one.enter_context(outage.waiting())
        other.enter_context(outage.waiting())
        outage.failed("UNAVAILABLE", "tcp connect error")
        now = 6.0
        outage.failed("UNAVAILABLE", "tcp connect error")
        one.close()
        assert list(readiness.troubles) == ["temporal"]
        other.close()
        assert readiness.troubles == {}

    now = 20.0
    outage.failed("UNAVAILABLE", "it may be another outage")
    assert readiness.troubles == {}


def test_who_gives_up_waiting_leaves_the_better_reason() -> None:
    """Whoever has said it meanwhile says when it is over."""
    now = 0.0
    readiness = Readiness()
    outage = Outage(lambda: now, readiness=readiness)

    with outage.waiting():
        outage.failed("UNAVAILABLE", "tcp connect error")
        now = 6.0
        outage.failed("UNAVAILABLE", "tcp connect error")
        readiness.trouble("temporal", "a delivery could not be settled in 600 s")

    assert readiness.troubles == {"temporal": "a delivery could not be settled in 600 s"}
