"""Jobs in unit tests go as they would in a worker."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hatchet_schemas import SourceFile, Workflow, load_definitions
from hatchet_worker import (
    Context,
    Integration,
    NonRetryable,
    OutcomeUnknown,
    Retry,
    action,
    current_context,
)
from hatchet_worker.testing import ActionFailed, Call, UnusableWorkflow, run_action, run_workflow

SIGN_UP = """
name: Sign up
on: user:create
defaults: {timeout: 5s}
jobs:
  welcome:
    steps:
      - id: create
        name: Create a channel
        actionId: slack:create
        retry: {attempts: 3, backoff: 1h, max-backoff: 1h}
        with: {name: "user-{{ .user.name }}", token: "Bearer {{ .secrets.TOKEN }}"}
      - id: tell
        name: Tell
        actionId: slack:tell
        if: .user.vip
        with: {channel: "{{ .steps.create.id }}"}
      - id: mend
        name: Mend
        actionId: slack:mend
        if: failure()
  book:
    if: .user.paying
    steps:
      - {id: create, name: Book, actionId: "ledger:book", continue-on-error: true}
      - id: note
        name: Note
        actionId: ledger:note
        with: {how: "{{ .steps.create.outcome }}", region: "{{ .vars.region }}"}
"""


def workflow(text: str = SIGN_UP) -> Workflow:
    """Return the workflow in a file's text."""
    definitions, problems = load_definitions(
        [SourceFile("w.yaml", text.encode())], known_vars=["region"]
    )
    assert not problems
    return definitions[0].workflow


def user(**fields: Any) -> dict[str, Any]:
    """Return an event's data."""
    return {"user": {"name": "ada", "vip": True, "paying": True, **fields}}


async def test_steps_see_the_event_and_the_outputs_before_them() -> None:
    jobs = await run_workflow(
        workflow(), user(), fakes={"welcome/create": {"id": "C1"}}, variables={"region": "eu"}
    )

    welcome = jobs["welcome"]
    assert (welcome.outcome, welcome.failure) == ("success", None)
    assert welcome.step("create").data == {"name": "user-ada", "token": "Bearer ***"}
    assert welcome.step("tell").data == {"channel": "C1"}
    assert [(step.id, step.outcome) for step in welcome.steps] == [
        ("create", "success"),
        ("tell", "success"),
        ("mend", "skipped"),
    ]
    assert jobs["book"].step("note").data == {"how": "success", "region": "eu"}


async def test_calls_have_the_values_of_secrets_and_outputs_do_not() -> None:
    jobs = await run_workflow(
        workflow(),
        user(paying=False),
        fakes={"create": lambda data: {"id": data["token"]}},
        secrets={"TOKEN": "t0ken-of-calls"},
    )

    welcome = jobs["welcome"]
    assert welcome.calls == (
        Call("create", "slack:create", {"name": "user-ada", "token": "Bearer t0ken-of-calls"}, 1),
        Call("tell", "slack:tell", {"channel": "Bearer ***"}, 1),
    )
    assert jobs["book"].outcome == "skipped"


async def test_a_failed_step_is_tried_again_without_a_wait() -> None:
    jobs = await run_workflow(
        workflow(),
        user(),
        fakes={"create": [OSError("busy"), OSError("busy"), {"id": "C1"}]},
        variables={"region": "eu"},
    )

    assert jobs["welcome"].step("create").attempts == 3
    assert jobs["welcome"].outcome == "success"


async def test_a_job_fails_as_it_would_and_runs_what_runs_after_failures() -> None:
    jobs = await run_workflow(
        workflow(), user(), fakes={"slack:create": OSError("down")}, variables={"region": "eu"}
    )

    welcome = jobs["welcome"]
    assert [(step.id, step.outcome, step.attempts) for step in welcome.steps] == [
        ("create", "failure", 3),
        ("tell", "skipped", 0),
        ("mend", "success", 1),
    ]
    assert welcome.outcome == "failure"
    assert welcome.failure
    assert welcome.failure.type == "StepFailed"
    assert welcome.failure.message == (
        "workflow 'Sign up', job 'welcome', step 'create', action 'slack:create': "
        "OSError: down (3 attempts)"
    )


async def test_what_is_tolerated_counts_as_a_success() -> None:
    jobs = await run_workflow(
        workflow(),
        user(),
        fakes={"ledger:book": NonRetryable("no"), "welcome/create": {"id": "C"}},
        variables={"region": "eu"},
    )

    book = jobs["book"]
    assert (book.outcome, book.step("create").outcome, book.step("create").conclusion) == (
        "success",
        "failure",
        "success",
    )
    assert book.step("note").data == {"how": "failure", "region": "eu"}


async def test_a_template_that_cannot_be_rendered_fails_its_step() -> None:
    jobs = await run_workflow(workflow(), user(paying=False))  # create puts out no id

    tell = jobs["welcome"].step("tell")
    assert (tell.outcome, tell.data, tell.attempts) == ("failure", None, 0)
    assert tell.failure
    assert tell.failure.type == "TemplateError"


async def test_a_condition_that_cannot_be_decided_fails_its_job() -> None:
    jobs = await run_workflow(workflow(), {"user": {"name": "ada", "vip": False}})

    assert jobs["book"].outcome == "failure"
    assert jobs["book"].failure
    assert jobs["book"].failure.type == "TemplateError"


class Amount(BaseModel):
    """What is booked."""

    cents: int


class Ledger(Integration):
    """Runs in earnest."""

    id = "ledger"
    secrets = ("LEDGER_KEY",)

    def __init__(self) -> None:
        self.closed = False

    @action("book", semantics="at-most-once")
    def book(self, amount: Amount, context: Context) -> dict[str, Any]:
        """Book an amount."""
        return {
            "cents": amount.cents,
            "on_loop": threading.current_thread() is threading.main_thread(),
            "key": context.secrets["LEDGER_KEY"],
            "attempt": context.attempt,
        }

    @action("fail", semantics="at-most-once")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail as told."""
        del data
        raise Retry("slow down", after=3600)

    @action("refuse")
    async def refuse(self, data: dict[str, Any]) -> None:
        """Refuse."""
        raise OSError(f"refused {data['token']} {current_context().step}")

    async def close(self) -> None:
        """Keep that it was closed."""
        self.closed = True


async def test_one_action_is_run_as_a_worker_runs_it() -> None:
    ledger = Ledger()

    outputs = await run_action(
        "ledger:book", {"cents": 5}, integrations=[ledger], secrets={"LEDGER_KEY": "key-of-ledger"}
    )

    assert outputs == {"cents": 5, "on_loop": False, "key": "***", "attempt": 1}
    assert ledger.closed


@pytest.mark.parametrize(
    ("name", "data", "type_", "message", "will_retry"),
    [
        ("ledger:book", {"cents": "x"}, "InvalidInput", "cents: Input should be", False),
        ("ledger:bok", {}, "UnknownAction", "did you mean 'ledger:book'", False),
        ("ledger:fail", {}, "Retry", "slow down", False),
        ("ledger:refuse", {"token": "t"}, "OSError", "refused t step", True),
    ],
)
async def test_a_failed_action_says_why_and_whether_it_would_be_tried_again(
    name: str, data: dict[str, Any], type_: str, message: str, *, will_retry: bool
) -> None:
    with pytest.raises(ActionFailed, match=message) as caught:
        await run_action(name, data, integrations=[Ledger()])

    assert (caught.value.type, caught.value.will_retry) == (type_, will_retry)


BOOKING = """
name: Booking
on: order:paid
defaults: {timeout: 5s, retry: {attempts: 2}}
jobs:
  book:
    steps:
      - {id: book, name: Book, actionId: "ledger:book", with: {cents: "{{ .cents }}"}}
"""


async def test_integrations_that_are_given_are_called_in_earnest() -> None:
    jobs = await run_workflow(workflow(BOOKING), {"cents": 7}, integrations=[Ledger()])

    assert jobs["book"].step("book").outputs["cents"] == 7


async def test_a_stand_in_for_a_real_action_takes_what_that_takes() -> None:
    fakes = {"book": {"done": True}}

    good = await run_workflow(workflow(BOOKING), {"cents": 7}, integrations=[Ledger()], fakes=fakes)
    bad = await run_workflow(
        workflow(BOOKING), {"cents": "x"}, integrations=[Ledger()], fakes=fakes
    )

    assert good["book"].step("book").outputs == {"done": True}
    assert bad["book"].failure
    assert bad["book"].failure.type == "InvalidInput"


async def test_an_action_that_a_real_integration_lacks_is_unknown() -> None:
    text = BOOKING.replace("ledger:book", "ledger:boook")

    jobs = await run_workflow(workflow(text), {"cents": 7}, integrations=[Ledger()])

    assert jobs["book"].failure
    assert jobs["book"].failure.type == "UnknownAction"


async def test_what_is_at_most_once_is_called_once() -> None:
    fakes = {"book": [OutcomeUnknown("lost"), {"done": True}]}

    jobs = await run_workflow(workflow(BOOKING), {"cents": 7}, integrations=[Ledger()], fakes=fakes)

    assert (jobs["book"].outcome, len(jobs["book"].calls)) == ("failure", 1)


async def test_a_file_is_run_too_and_its_problems_are_told(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(BOOKING)
    bad.write_text(BOOKING.replace("timeout: 5s", "timeout: soon"))

    assert (await run_workflow(good, {"cents": 1}))["book"].outcome == "success"
    with pytest.raises(UnusableWorkflow, match=r"bad.yaml:4:21: 'soon' is not a duration"):
        await run_workflow(bad)


async def test_a_step_that_is_not_there_is_told_with_those_that_are() -> None:
    jobs = await run_workflow(workflow(BOOKING), {"cents": 7})

    with pytest.raises(LookupError, match="has run no step 'bok': it has book"):
        jobs["book"].step("bok")


LOCAL = BOOKING.replace("timeout: 5s", "timeout: 5s, mode: local")


async def test_a_local_step_is_run_as_any_other() -> None:
    jobs = await run_workflow(workflow(LOCAL), {"cents": 7}, fakes={"book": {"entry": 1}})

    assert jobs["book"].step("book").outputs == {"entry": 1}


async def test_a_local_step_of_an_at_most_once_action_fails_before_it_is_called() -> None:
    """As in a worker, where the check did not know the action."""
    jobs = await run_workflow(workflow(LOCAL), {"cents": 7}, integrations=[Ledger()])

    failure = jobs["book"].failure
    assert failure
    assert failure.type == "UnsuitableMode"
    assert "ledger:book is at-most-once, and a local step is run again" in failure.message
    assert jobs["book"].calls == ()


class Rates(Integration):
    """Is quick, but not always at the first attempt."""

    id = "rates"

    @action("look-up", mode="local")
    async def look_up(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Tell what the attempt before has kept, which is nothing in local steps."""
        context.heartbeat("as far as this")
        if context.attempt == 1:
            raise ConnectionError("not yet")
        return {"kept": list(context.heartbeat_details)}


@pytest.mark.parametrize(
    ("said", "in_steps", "in_regular"),
    [
        ("", [], ["as far as this"]),
        ("mode: regular, ", ["as far as this"], ["as far as this"]),
        ("mode: local, ", [], ["as far as this"]),
    ],
)
async def test_a_step_that_does_not_say_how_it_runs_runs_as_its_action_does_by_default(
    said: str, in_steps: list[str], in_regular: list[str]
) -> None:
    """The nearest that says something holds; a long step is regular as long as nothing does."""
    text = f"""\
name: Rates
on: k
jobs:
  ask:
    {said.rstrip(", ") or "description: Says nothing."}
    steps:
      - {{id: quick, actionId: "rates:look-up", timeout: 5s}}
      - {{id: own, actionId: "rates:look-up", timeout: 5s, mode: regular}}
  long:
    steps: [{{id: long, actionId: "rates:look-up", timeout: 6s}}]
"""

    jobs = await run_workflow(workflow(text), {}, integrations=[Rates()])

    assert jobs["ask"].step("quick").outputs == {"kept": in_steps}
    assert jobs["ask"].step("own").outputs == {"kept": in_regular}
    assert jobs["long"].step("long").outputs == {"kept": in_regular}
