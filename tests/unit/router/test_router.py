"""What the router does with one delivery, with a stand-in for Temporal."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import structlog.testing

from hatchet_router.deliveries import Delivery, Rejection, Routed, Unmatched
from hatchet_router.errors import JobRefused, TemporalUnavailable
from hatchet_router.planning import StartRequest
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.testing import RecordingStarter
from hatchet_schemas import Definition

DELIVERY = Delivery(b'{"a": 1}', "user:create", message_id="e-1")


@pytest.fixture
def table(define: Callable[..., Definition]) -> RoutingTable:
    """Two workflows with three jobs for one key."""
    return RoutingTable(
        [
            define("sign up", "user:create", jobs=("mail", "chat")),
            define("audit", "user:*", jobs=("log",)),
            define("other", "order:paid"),
        ]
    )


async def test_every_job_is_started(table: RoutingTable) -> None:
    """And told to whoever acknowledges."""
    starter = RecordingStarter()

    outcome = await Router(table, starter).handle(DELIVERY)

    assert isinstance(outcome, Routed)
    assert outcome.event is not None
    assert outcome.event.data == {"a": 1}
    assert [(job.workflow, job.job, job.queue, job.duplicate) for job in outcome.jobs] == [
        ("sign up", "mail", "mail-queue", False),
        ("sign up", "chat", "chat-queue", False),
        ("audit", "log", "log-queue", False),
    ]
    assert {request.workflow_id for request in starter.started} == {
        job.workflow_id for job in outcome.jobs
    }


async def test_a_second_delivery_of_an_event_starts_nothing(table: RoutingTable) -> None:
    """It is routed all the same, so that it is acknowledged."""
    starter = RecordingStarter()
    router = Router(table, starter)
    await router.handle(DELIVERY)

    outcome = await router.handle(DELIVERY)

    assert isinstance(outcome, Routed)
    assert [job.duplicate for job in outcome.jobs] == [True, True, True]
    assert len(starter.started) == 3


async def test_an_event_that_was_started_in_part_is_finished(table: RoutingTable) -> None:
    """As after a crash between two starts."""
    starter = RecordingStarter(refuse=["chat"])
    await Router(table, starter).handle(DELIVERY)
    mended = RecordingStarter()
    for request in starter.started:
        await mended.start(request)

    outcome = await Router(table, mended).handle(DELIVERY)

    assert isinstance(outcome, Routed)
    assert [job.duplicate for job in outcome.jobs] == [True, False, True]


async def test_one_refused_job_rejects_the_event_though_others_started(
    table: RoutingTable,
) -> None:
    """The dead letter says which; replayed, it starts what is missing."""
    starter = RecordingStarter(refuse=["chat"])

    outcome = await Router(table, starter).handle(DELIVERY)

    assert isinstance(outcome, Rejection)
    assert outcome.kind == "refused-by-temporal"
    assert "job 'chat' of workflow 'sign up'" in outcome.message
    assert outcome.event_id == "e-1"
    assert [request.input.job for request in starter.started] == ["mail", "log"]


async def test_jobs_are_started_at_the_same_time(table: RoutingTable) -> None:
    """One slow start does not hold up the others."""
    all_asked = asyncio.Barrier(3)

    class Together:
        async def start(self, request: StartRequest) -> bool:
            await all_asked.wait()
            return True

    async with asyncio.timeout(30):
        assert isinstance(await Router(table, Together()).handle(DELIVERY), Routed)


async def test_all_starts_are_over_when_a_refusal_is_reported(table: RoutingTable) -> None:
    """Nothing goes on behind the back of whoever settles the delivery."""
    refused, finished = asyncio.Event(), []

    class RefusesTheFirst:
        async def start(self, request: StartRequest) -> bool:
            if request.input.job == "mail":
                refused.set()
                raise JobRefused("w", request.input.job, "no")
            await refused.wait()
            await asyncio.sleep(0)
            finished.append(request.input.job)
            return True

    outcome = await Router(table, RefusesTheFirst()).handle(DELIVERY)

    assert isinstance(outcome, Rejection)
    assert (outcome.kind, outcome.event_id) == ("refused-by-temporal", "e-1")
    assert sorted(finished) == ["chat", "log"]


async def test_a_cancelled_delivery_cancels_its_starts(table: RoutingTable) -> None:
    """When the connection is lost, the event comes again: nothing is left of the first attempt."""
    begun, cancelled = asyncio.Semaphore(0), []

    class Waits:
        async def start(self, request: StartRequest) -> bool:
            begun.release()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(request.input.job)
                raise
            return True

    task = asyncio.create_task(Router(table, Waits()).handle(DELIVERY))
    for _ in range(3):
        await begun.acquire()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(cancelled) == ["chat", "log", "mail"]


async def test_a_fault_of_the_starter_is_no_rejection(table: RoutingTable) -> None:
    """What Temporal has not refused is not to be given up by the router."""

    class Broken:
        async def start(self, request: StartRequest) -> bool:
            raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        await Router(table, Broken()).handle(DELIVERY)


@pytest.mark.parametrize("body", [b"{}", b"not json", b"x" * 1_000_000])
async def test_an_event_that_nothing_matches_starts_nothing(
    body: bytes, table: RoutingTable
) -> None:
    """Its body is not looked at: it is not for us."""
    starter = RecordingStarter()

    assert await Router(table, starter).handle(Delivery(body, "unknown")) == Unmatched()
    assert starter.started == []


@pytest.mark.parametrize(
    ("delivery", "kind"),
    [
        (Delivery(b"not json", "user:create", message_id="e-1"), "undecodable"),
        (Delivery(b'{"a": "1234567890"}', "user:create", message_id="e-1"), "too-large"),
    ],
)
async def test_what_cannot_be_decoded_is_rejected_and_starts_nothing(
    delivery: Delivery, kind: str, table: RoutingTable
) -> None:
    """The limit is the router's setting."""
    starter = RecordingStarter()

    outcome = await Router(table, starter, max_body_bytes=10).handle(delivery)

    assert isinstance(outcome, Rejection)
    assert (outcome.kind, outcome.event_id) == (kind, "e-1")
    assert starter.started == []


async def test_the_log_tells_ids_and_no_payload(table: RoutingTable) -> None:
    """One record for each event, with a stable name."""
    ticks = iter([10.0, 10.25])
    router = Router(table, RecordingStarter(), clock=lambda: next(ticks))

    with structlog.testing.capture_logs() as logs:
        await router.handle(Delivery(b'{"secret": 1}', "user:create", message_id="e-1"))

    entry: dict[str, Any]
    (entry,) = (dict(record) for record in logs)
    assert entry["event"] == "event.routed"
    assert entry["event_id"] == "e-1"
    assert entry["seconds"] == 0.25
    assert entry["jobs"][0] == {
        "workflow": "sign up",
        "job": "mail",
        "queue": "mail-queue",
        "workflow_id": "sign up/mail/e-1",
        "duplicate": False,
    }
    assert "secret" not in str(entry)


async def test_the_condition_of_a_trigger_decides(define: Callable[..., Definition]) -> None:
    """It sees the event, and variables: the workflow's own before those of the settings."""
    table = RoutingTable(
        [
            define("large", ("order.*", ".amount > .vars.limit"), variables={"limit": 10}),
            define("huge", ("order.*", ".amount > .vars.limit")),
            define("any", ("order.*", ".amount > 1000"), "order.paid"),
            define("named", ("order.*", ".event.key == 'order.paid' and .workflow == 'named'")),
        ]
    )
    starter = RecordingStarter()
    router = Router(table, starter, variables={"limit": 100, "other": 1})

    await router.handle(Delivery(b'{"amount": 40}', "order.paid", message_id="e-1"))

    assert [request.input.workflow for request in starter.started] == ["large", "any", "named"]
    assert starter.started[0].input.vars == {"limit": 10, "other": 1}


async def test_an_event_that_all_conditions_decline_is_done_with(
    define: Callable[..., Definition],
) -> None:
    """And the log says what declined it."""
    table = RoutingTable([define("large", ("order.*", ".amount > 100"))])

    with structlog.testing.capture_logs() as logs:
        outcome = await Router(table, RecordingStarter()).handle(
            Delivery(b'{"amount": 40}', "order.paid", message_id="e-1")
        )

    assert isinstance(outcome, Routed)
    assert outcome.jobs == ()
    assert [(entry["event"], entry["workflows"]) for entry in logs] == [
        ("event.declined", [{"workflow": "large", "if": [".amount > 100"]}])
    ]


async def test_a_condition_that_cannot_be_decided_rejects_the_event_though_others_started(
    define: Callable[..., Definition],
) -> None:
    """So that the event is kept; replayed, it starts the rest alone."""
    table = RoutingTable(
        [
            define("broken", ("order.*", ".amount > 100"), ("order.paid", ".sum > 1")),
            define("fine", "order.paid"),
        ]
    )
    starter = RecordingStarter()

    outcome = await Router(table, starter).handle(
        Delivery(b'{"total": "secret"}', "order.paid", message_id="e-1")
    )

    assert [request.input.workflow for request in starter.started] == ["fine"]
    assert isinstance(outcome, Rejection)
    assert outcome.kind == "condition-failed"
    assert outcome.workflows == ("broken",)
    assert outcome.event_id == "e-1"
    assert outcome.message == (
        "workflow 'broken', a trigger's if: '.amount > 100': no field 'amount'; there are: "
        "event, input, total, vars, workflow; "
        "workflow 'broken', a trigger's if: '.sum > 1': no field 'sum'; there are: "
        "event, input, total, vars, workflow"
    )


async def test_one_condition_that_holds_makes_up_for_one_that_cannot_be_decided(
    define: Callable[..., Definition],
) -> None:
    """Triggers are alternatives."""
    table = RoutingTable([define("one", ("order.*", ".amount > 100"), ("order.paid", ".total"))])
    starter = RecordingStarter()

    outcome = await Router(table, starter).handle(Delivery(b'{"total": 1}', "order.paid"))

    assert isinstance(outcome, Routed)
    assert len(starter.started) == 1


async def test_a_rejection_names_the_workflows_that_go_without_the_event(
    table: RoutingTable,
) -> None:
    """For whoever mends them and replays it."""
    undecodable = await Router(table, RecordingStarter()).handle(Delivery(b"x", "user:create"))
    refused = await Router(table, RecordingStarter(refuse=["chat"])).handle(DELIVERY)

    assert isinstance(undecodable, Rejection)
    assert undecodable.workflows == ("sign up", "audit")
    assert isinstance(refused, Rejection)
    assert refused.workflows == ("sign up",)


async def test_an_event_is_no_dead_letter_as_long_as_a_job_could_not_be_tried(
    table: RoutingTable,
) -> None:
    """Another job of it was refused, which can be told when all were tried."""

    class Wavering:
        async def start(self, request: StartRequest) -> bool:
            if request.input.job == "mail":
                raise JobRefused("sign up", "mail", "too large")
            raise TemporalUnavailable("no such namespace")

    with pytest.raises(TemporalUnavailable):
        await Router(table, Wavering()).handle(DELIVERY)


async def test_a_key_that_was_met_before_goes_by_the_table_of_now(
    table: RoutingTable, define: Callable[..., Definition]
) -> None:
    starter = RecordingStarter()
    router = Router(table, starter)
    await router.handle(DELIVERY)

    router.table = RoutingTable([define("newer", "user:create", jobs=("newest",))])
    outcome = await router.handle(DELIVERY)

    assert isinstance(outcome, Routed)
    assert [job.job for job in outcome.jobs] == ["newest"]


async def test_no_more_keys_are_remembered_than_fit(
    table: RoutingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hatchet_router.router._MAX_KNOWN_KEYS", 3)
    router = Router(table, RecordingStarter())

    for number in range(10):
        assert isinstance(await router.handle(Delivery(b"{}", f"stock.{number}")), Unmatched)
        assert len(router._known) <= 3
    assert isinstance(await router.handle(DELIVERY), Routed)
