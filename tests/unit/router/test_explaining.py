from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.router.conftest import Define

from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.explaining import Explanation, StepVerdict, WorkflowVerdict, explain
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.testing import RecordingStarter
from hatchet_schemas import Definition, Event, SourceFile, load_definitions

ORDER = """\
name: Order paid
on:
  - {event: order.paid, if: .amount > 100}
vars: {channel: "#orders", limit: 5}
jobs:
  ship:
    queue: internal
    timeout: 10m
    if: .customer.active
    steps:
      - id: reserve
        action: stock:reserve
        timeout: 15s
        with: {order: "{{ .id }}", nested: [{token: "Bearer {{ .secrets.TOKEN }}"}], number: 5}
      - name: Tell
        id: tell
        action: slack:send
        timeout: 15s
        with: {channel: "{{ .vars.channel }}", text: "From {{ .steps.reserve.outputs.shelf }}"}
      - {id: sorry, action: slack:send, timeout: 1s, if: failure(), with: {a: "{{ .nope }}"}}
      - {id: last, action: slack:send, timeout: 1s, if: .steps.tell.outputs.ok}
"""
PAID: dict[str, Any] = {"id": "o-1", "amount": 140, "customer": {"active": True}}


def loaded(text: str) -> Definition:
    [definition], problems = load_definitions([SourceFile("order.yaml", text.encode())])
    assert [problem for problem in problems if problem.severity == "error"] == []
    return definition


def event_of(key: str, data: dict[str, Any]) -> Event:
    return Event.model_validate(
        {"id": "e-1", "key": key, "time": "2026-01-02T03:04:05Z", "data": data}, strict=False
    )


def explained(
    data: dict[str, Any], text: str = ORDER, key: str = "order.paid", **variables: Any
) -> WorkflowVerdict:
    [verdict] = explain(event_of(key, data), [loaded(text)], variables).workflows
    return verdict


def steps_of(verdict: WorkflowVerdict) -> dict[str, StepVerdict]:
    return {step.id: step for job in verdict.jobs for step in job.steps}


def test_a_workflow_whose_trigger_matches_starts_its_jobs() -> None:
    verdict = explained(PAID)

    assert (verdict.path, verdict.name, verdict.state) == ("order.yaml", "Order paid", "starts")
    assert not verdict.goes_wrong
    [trigger] = verdict.triggers
    assert (trigger.pattern, trigger.difference, trigger.binding) == (
        "order.paid",
        None,
        "order.paid",
    )
    assert trigger.condition is not None
    assert (trigger.condition.holds, trigger.condition.values) == (True, {".amount": 140})
    [job] = verdict.jobs
    assert (job.name, job.queue, job.workflow_id) == ("ship", "internal", "Order paid/ship/e-1")
    assert str(job.timeout) == "0:10:00"
    assert job.state == "runs"
    assert job.condition is not None
    assert job.condition.values == {".customer.active": True}


def test_a_step_is_shown_with_what_its_action_gets_but_without_secrets() -> None:
    reserve = steps_of(explained(PAID))["reserve"]

    assert reserve.state == "runs"
    assert reserve.data == {"order": "o-1", "nested": [{"token": "Bearer ***"}], "number": 5}
    assert reserve.needs == ()


def test_what_depends_on_earlier_steps_is_left_as_it_is_and_said() -> None:
    steps = steps_of(explained(PAID))

    assert steps["tell"].state == "runs"
    assert steps["tell"].needs == ("reserve",)
    assert steps["tell"].data == {
        "channel": "#orders",
        "text": "From {{ .steps.reserve.outputs.shelf }}",
    }
    assert steps["last"].state == "depends"
    assert steps["last"].needs == ("tell",)


def test_a_step_for_failures_is_skipped_as_long_as_all_goes_well() -> None:
    sorry = steps_of(explained(PAID))["sorry"]

    # Its templates are not rendered, so that what is wrong with them does not count.
    assert (sorry.state, sorry.data, sorry.error) == ("skipped", None, None)


def test_a_condition_that_is_false_declines_with_the_value_it_saw() -> None:
    verdict = explained({**PAID, "amount": 40})

    assert (verdict.state, verdict.jobs, verdict.goes_wrong) == ("declined", (), False)
    condition = verdict.triggers[0].condition
    assert condition is not None
    assert (condition.holds, condition.values, condition.error) == (False, {".amount": 40}, None)


def test_a_condition_that_cannot_be_decided_fails() -> None:
    verdict = explained({})

    assert (verdict.state, verdict.jobs, verdict.goes_wrong) == ("fails", (), True)
    condition = verdict.triggers[0].condition
    assert condition is not None
    assert condition.holds is None
    assert condition.values == {}
    assert condition.error is not None
    assert "no field 'amount'" in condition.error


def test_a_condition_that_fails_does_not_matter_where_another_trigger_holds() -> None:
    text = ORDER.replace("on:\n", "on:\n  - {event: 'order.*', if: .no.such > 1}\n")

    verdict = explained(PAID, text)

    assert verdict.state == "starts"
    assert [trigger.holds for trigger in verdict.triggers] == [False, True]


def test_one_condition_that_fails_is_enough_where_no_other_holds(define: Define) -> None:
    workflow = define("A", ("k", ".x"), ("k", ".y"))

    [verdict] = explain(event_of("k", {"x": False}), [workflow]).workflows

    assert verdict.state == "fails"


def test_a_job_whose_condition_is_false_runs_no_step() -> None:
    verdict = explained({**PAID, "customer": {"active": False}})

    [job] = verdict.jobs
    assert (verdict.state, job.state, job.steps) == ("starts", "skipped", ())
    assert not verdict.goes_wrong


def test_a_job_whose_condition_cannot_be_decided_goes_wrong() -> None:
    verdict = explained({**PAID, "customer": {}})

    assert (verdict.state, verdict.jobs[0].state, verdict.goes_wrong) == ("starts", "fails", True)


def test_a_template_that_fails_on_the_event_is_told_with_its_place() -> None:
    verdict = explained({"amount": 140, "customer": {"active": True}})

    reserve = steps_of(verdict)["reserve"]
    assert (reserve.state, reserve.data) == ("fails", None)
    assert reserve.error is not None
    assert reserve.error.startswith("with.order: ")
    assert "no field 'id'" in reserve.error
    assert verdict.goes_wrong


def test_variables_of_the_settings_are_known_and_those_of_the_file_go_before_them() -> None:
    text = ORDER.replace(".amount > 100", ".vars.limit == 5 and .vars.other == 1")

    assert explained(PAID, text, limit=9, other=1).state == "starts"


def test_a_key_that_no_trigger_matches_is_told_with_the_difference_and_the_nearest(
    define: Define,
) -> None:
    definitions = [define("A", "order.paid", "order.*"), define("B", "user:create")]

    result = explain(event_of("user.create", {}), definitions)

    assert [item.state for item in result.workflows] == ["unmatched", "unmatched"]
    assert result.nearest == ("user:create",)
    [trigger] = result.workflows[1].triggers
    assert trigger.difference == "before 'create' the key has '.', the pattern ':'"
    assert trigger.condition is None


def test_nothing_is_near_where_something_matches(define: Define) -> None:
    definitions = [define("A", "user:created"), define("B", ("user:create", "false"))]

    assert explain(event_of("user:create", {}), definitions).nearest == ()


def test_a_pattern_is_told_with_the_binding_by_which_rabbitmq_knows_it(define: Define) -> None:
    [verdict] = explain(event_of("user:create", {}), [define("A", "user:*")]).workflows

    assert (verdict.state, verdict.triggers[0].binding) == ("starts", "*")


def test_a_workflow_that_only_the_clock_starts_is_unmatched() -> None:
    text = """\
name: Daily
on: {cron: {schedule: "@daily"}}
jobs: {tidy: {steps: [{id: s, action: "a:b", timeout: 1s}]}}
"""

    verdict = explained({}, text)

    assert (verdict.state, verdict.triggers) == ("unmatched", ())


KEYS = st.sampled_from(["a", "a.b", "a:b", "a.b.c", "b"])
PATTERNS = st.sampled_from(["a", "a.b", "a:b", "a.*", "a.#", "#", "*", "b.#", "*.b.#"])
CONDITIONS = st.sampled_from([".x", ".x > 1", "not .x", ".y", "true", ".vars.v == 1"])
TRIGGERS = PATTERNS | st.tuples(PATTERNS, CONDITIONS)
DATA = st.sampled_from([{}, {"x": 0}, {"x": 2}, {"x": "text"}, {"x": None, "y": 1}])


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.lists(TRIGGERS, min_size=1, max_size=3), max_size=3), KEYS, DATA)
async def test_the_explanation_is_what_the_router_does(
    define: Define, workflows: list[list[Any]], key: str, data: dict[str, Any]
) -> None:
    definitions = [define(f"W{number}", *events) for number, events in enumerate(workflows)]
    starter = RecordingStarter()
    router = Router(RoutingTable(definitions), starter, variables={"v": 1})
    event = event_of(key, data)
    body = event.model_dump_json(include={"data"}).removeprefix('{"data":').removesuffix("}")

    outcome = await router.handle(Delivery(body.encode(), key, message_id=event.id))
    result: Explanation = explain(event, definitions, {"v": 1})

    jobs = [job for item in result.workflows for job in item.jobs]
    assert [request.workflow_id for request in starter.started] == [job.workflow_id for job in jobs]
    assert [request.task_queue for request in starter.started] == [job.queue for job in jobs]
    fails = any(item.state == "fails" for item in result.workflows)
    assert isinstance(outcome, Rejection) == fails


@pytest.mark.parametrize("value", [None, 0, "", [], {}])
def test_a_value_that_is_there_is_told_even_if_it_is_empty(value: object, define: Define) -> None:
    [verdict] = explain(event_of("k", {"x": value}), [define("A", ("k", ".x"))]).workflows

    condition = verdict.triggers[0].condition
    assert condition is not None
    assert (verdict.state, condition.values) == ("declined", {".x": value})
