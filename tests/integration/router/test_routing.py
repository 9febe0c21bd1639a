"""The main job: messages from RabbitMQ become jobs in Temporal."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.settings import RouterSettings
from hatchet_schemas import Definition, JobInput
from hatchet_schemas.names import DEAD_LETTERS

Define = Callable[..., Definition]
NextLetter = Callable[[str], Awaitable[Any]]


@pytest.fixture
def runs_of(client: Client, until: Any) -> Callable[..., Awaitable[list[WorkflowExecution]]]:
    """Wait until Temporal shows so many runs of a workflow's jobs."""

    async def wait(workflow: str, count: int) -> list[WorkflowExecution]:
        async def found() -> list[WorkflowExecution]:
            query = f'HatchetWorkflow = "{workflow}"'
            return [execution async for execution in client.list_workflows(query)]

        async def enough() -> bool:
            return len(await found()) >= count

        await until(enough)
        runs = await found()
        assert len(runs) == count
        return sorted(runs, key=lambda run: run.workflow_type)

    return wait


async def test_a_bare_message_from_a_foreign_client_starts_one_workflow_for_each_job(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
) -> None:
    """No content type, no id, no header: a body and a routing key are enough."""
    sign_up = define(f"Sign up {name}", "user:create", jobs=("greet-user", "tell.staff"))

    async with serving(settings, [sign_up], client):
        await broker.publish(settings.exchange, "user:create", b'{"username": "ada"}')
        runs = await runs_of(f"Sign up {name}", 2)

    assert [(run.workflow_type, run.task_queue) for run in runs] == [
        ("greet-user", "greet-user-queue"),
        ("tell.staff", "tell.staff-queue"),
    ]
    ids = [run.id.rpartition("/") for run in runs]
    assert [prefix for prefix, _, _ in ids] == [
        f"Sign up {name}/greet-user",
        f"Sign up {name}/tell.staff",
    ]
    assert len({event_id for _, _, event_id in ids}) == 1
    assert re.fullmatch("[0-9a-f]{32}", ids[0][2])
    (event,) = (
        [event async for event in client.get_workflow_handle(runs[0].id).fetch_history_events()]
    )[:1]
    payload = event.workflow_execution_started_event_attributes.input.payloads[0].data
    job_input = JobInput.model_validate_json(payload)
    assert job_input.event.data == {"username": "ada"}
    assert job_input.event.key == "user:create"
    assert job_input.definition == sign_up.workflow.jobs["greet-user"]


async def test_the_same_message_id_starts_each_job_once(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
) -> None:
    """Whether it is published again at once, or after the router has been away."""
    definitions = [define(name, "order.*", jobs=("mail", "ship"))]
    async with serving(settings, definitions, client):
        for _ in range(3):
            await broker.publish(settings.exchange, "order.paid", b"{}", message_id="order 7")
        await broker.publish(settings.exchange, "order.paid", b"{}", message_id="order 8")
        await runs_of(name, 4)
    await broker.publish(settings.exchange, "order.paid", b"{}", message_id="order 7")

    async with serving(settings, definitions, client):
        await broker.publish(settings.exchange, "order.paid", b"{}", message_id="order 9")
        runs = await runs_of(name, 6)

    assert sorted(run.id for run in runs) == [
        f"{name}/{job}/order%20{number}" for job in ("mail", "ship") for number in (7, 8, 9)
    ]


async def test_the_verified_user_is_part_of_an_events_identity(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
) -> None:
    """One application cannot take the ids of another."""
    async with serving(settings, [define(name, "a")], client):
        await broker.publish(settings.exchange, "a", b"{}", message_id="7")
        await broker.publish(settings.exchange, "a", b"{}", message_id="7", user_id="guest")
        runs = await runs_of(name, 2)

    assert {bool(re.search("/7~[0-9a-f]{32}$", run.id)) for run in runs} == {True, False}


async def test_what_cannot_be_decoded_becomes_one_dead_letter_and_the_router_goes_on(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
    next_letter: NextLetter,
) -> None:
    """It keeps all that it came with, and says why."""
    async with serving(settings, [define(name, f"{name}.*")], client):
        await broker.publish(
            settings.exchange,
            f"{name}.bad",
            b"not json",
            headers={"tenant": "x", "hatchet-reason": "forged"},
            message_id="m-1",
            correlation_id="c-1",
            content_type="text/plain",
            app_id="shop",
            type="t",
            reply_to="r",
            timestamp=1_700_000_000,
            user_id="guest",
            priority=3,
        )
        await broker.publish(settings.exchange, f"{name}.good", b"{}")
        letter = await next_letter(f"{name}.bad")
        await runs_of(name, 1)

    assert letter.body == b"not json"
    assert letter.headers["tenant"] == "x"
    assert letter.headers["hatchet-reason"] == "undecodable"
    assert letter.headers["hatchet-detail"].startswith("the body is not JSON")
    assert letter.headers["hatchet-user-id"] == "guest"
    assert letter.message_id == "m-1"
    assert letter.correlation_id == "c-1"
    assert letter.content_type == "text/plain"
    assert (letter.app_id, letter.type, letter.reply_to) == ("shop", "t", "r")
    assert letter.timestamp.timestamp() == 1_700_000_000
    assert letter.delivery_mode == 2
    assert await broker.waiting(settings.queue) == 0
    assert await broker.waiting(DEAD_LETTERS) > 0  # kept until somebody looks


async def test_an_event_that_nothing_matches_is_acknowledged(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
    dead_letters: Any,
) -> None:
    """The binding of ``user:*`` lets more through than is wanted, and other people's formats."""
    async with serving(settings, [define(name, "user:*")], client):
        for key in ("order:paid", "user", "user:create:v2"):
            await broker.publish(settings.exchange, key, b"not even json")
            await broker.publish(settings.exchange, key, b"{}")
        await broker.publish(settings.exchange, "user:create", b"{}")
        await runs_of(name, 1)

    assert await broker.waiting(settings.queue) == 0
    assert await dead_letters.get(fail=False) is None


async def test_two_routers_share_a_queue(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
) -> None:
    """That is how routing scales; one may go at any time."""
    definitions = [define(name, "a")]
    async with (
        serving(settings, definitions, client) as first,
        serving(settings, definitions, client),
    ):
        for number in range(10):
            await broker.publish(settings.exchange, "a", json.dumps({"n": number}).encode())
        await runs_of(name, 10)
        first.stop.set()
        await first.task
        await broker.publish(settings.exchange, "a", b"{}")
        await runs_of(name, 11)


async def test_more_exchanges_can_be_bound(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    define: Define,
    serving: Any,
    runs_of: Any,
) -> None:
    """Such as the one that an application has had for years."""
    async with broker.connection.channel() as channel:
        await channel.declare_exchange(f"{name}.theirs", "topic", auto_delete=True)
    both = settings.model_copy(update={"more_exchanges": (f"{name}.theirs",)})

    async with serving(both, [define(name, "a")], client):
        await broker.publish(f"{name}.theirs", "a", b"{}")
        await broker.publish(settings.exchange, "a", b"{}")
        await runs_of(name, 2)


async def test_the_condition_of_a_trigger_decides_in_the_router(
    settings: RouterSettings,
    name: str,
    broker: Any,
    define: Any,
    serving: Any,
    client: Client,
    until: Any,
) -> None:
    """A job that is not wanted is not started; values from the settings take part."""
    key = f"{name}.paid"
    definitions = [
        define(f"{name} large", {"event": key, "if": ".amount > .vars.limit"}, jobs=("large",)),
        define(f"{name} any", key, jobs=("any",)),
    ]
    with_vars = settings.model_copy(update={"vars": {"limit": 100}})

    async with serving(with_vars, definitions, client):
        for number, amount in enumerate((40, 400)):
            await broker.publish(
                settings.exchange, key, b'{"amount": %d}' % amount, message_id=f"{name}-{number}"
            )

        async def all_routed() -> bool:
            return bool(await broker.waiting(settings.queue) == 0)

        await until(all_routed)

    started = {
        (large, number): await exists(client, f"{name} {large}/{large}/{name}-{number}")
        for large in ("large", "any")
        for number in (0, 1)
    }
    assert started == {
        ("large", 0): False,
        ("large", 1): True,
        ("any", 0): True,
        ("any", 1): True,
    }


async def test_a_condition_that_cannot_be_decided_makes_a_dead_letter_with_an_id(
    settings: RouterSettings,
    name: str,
    broker: Any,
    define: Any,
    serving: Any,
    client: Client,
    next_letter: Any,
) -> None:
    """What started under the id that the router gave starts no second time in a replay."""
    key = f"{name}.paid"
    definitions = [
        define(f"{name} broken", {"event": key, "if": ".amount > 100"}, jobs=("broken",)),
        define(f"{name} fine", key, jobs=("fine",)),
    ]

    async with serving(settings, definitions, client):
        await broker.publish(settings.exchange, key, b"{}")
        letter = await next_letter(key)

    assert letter.headers["hatchet-reason"] == "condition-failed"
    assert "no field 'amount'" in letter.headers["hatchet-detail"]
    assert letter.message_id
    assert await exists(client, f"{name} fine/fine/{letter.message_id}")
    assert not await exists(client, f"{name} broken/broken/{letter.message_id}")


async def exists(client: Client, workflow_id: str) -> bool:
    """Return whether Temporal has a workflow of this id."""
    try:
        await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
