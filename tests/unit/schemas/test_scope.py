from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import Event, Job, JobInput, TemplateError
from hatchet_schemas.scope import (
    RESERVED_NAMES,
    STEP_FIELDS,
    StepFailure,
    StepResult,
    job_scope,
    with_step,
)
from hatchet_schemas.templates import render_text

DEFINITION = Job.model_validate(
    {"steps": [{"name": "S", "id": "s", "actionId": "a:b", "timeout": "1s"}]}
)


def job_input(data: dict[str, Any], source: str | None = None) -> JobInput:
    event = Event(
        id="e-1",
        key="user:create",
        time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        source=source,
        data=data,
    )
    return JobInput(workflow="Sign Up", job="greet", event=event, definition=DEFINITION)


def completed(**outputs: Any) -> StepResult:
    return StepResult("success", "success", outputs)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ .user.email }}", "a@example.org"),
        ("{{ .input.user.email }}", "a@example.org"),
        ("{{ .event.id }}", "e-1"),
        ("{{ .event.key }}", "user:create"),
        ("{{ .event.time }}", "2026-01-02T03:04:05+00:00"),
        ("{{ .event.source }}", "app"),
        ("{{ .workflow }}/{{ .job }}", "Sign Up/greet"),
        ("{{ .steps }}", {}),
    ],
)
def test_templates_can_refer_to(template: str, expected: object) -> None:
    scope = job_scope(job_input({"user": {"email": "a@example.org"}}, source="app"))
    assert render_text(template, scope) == expected


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_a_reserved_name_is_ours_and_the_events_field_stays_below_input(name: str) -> None:
    scope = job_scope(job_input({name: "forged"}))
    assert scope.get(name) != "forged"
    assert render_text(f"{{{{ .input.{name} }}}}", scope) == "forged"


@pytest.mark.parametrize("name", ["root__", "self", "result", "context", "environment", "items"])
def test_an_event_can_have_fields_of_any_name_and_forges_nothing_by_them(name: str) -> None:
    forged = {"event": {"id": "forged"}, "user": "forged"}
    scope = job_scope(job_input({name: forged, "user": "true"}))
    assert render_text("{{ .event.id }}", scope) == "e-1"
    assert render_text("{{ .user }} {{ .event.id }}", scope) == "true e-1"
    assert render_text(f"{{{{ .{name} }}}}", scope) == forged


def test_outputs_of_a_step_are_found_in_two_ways() -> None:
    scope = with_step(job_scope(job_input({})), "step-1", completed(id=7))
    assert render_text("{{ .steps.step-1.outputs.id }}", scope) == 7
    assert render_text("{{ .steps.step-1.id }}", scope) == 7


@pytest.mark.parametrize("name", STEP_FIELDS)
def test_an_output_with_one_of_our_names_is_below_outputs(name: str) -> None:
    scope = with_step(job_scope(job_input({})), "s", completed(**{name: "mine"}))
    assert render_text(f"{{{{ .steps.s.outputs.{name} }}}}", scope) == "mine"
    assert render_text(f"{{{{ .steps.s.{name} }}}}", scope) != "mine"


def test_a_step_tells_how_it_ended() -> None:
    failure = StepFailure("StepFailed", "no room")
    scope = with_step(
        job_scope(job_input({})), "s", StepResult("failure", "success", failure=failure)
    )
    assert render_text("{{ .steps.s.outcome }}", scope) == "failure"
    assert render_text("{{ .steps.s.conclusion }}", scope) == "success"
    assert render_text("{{ .steps.s.failure.message }}", scope) == "no room"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("skipped", "step 's' was skipped"), ("failure", "step 's' failed")],
)
@pytest.mark.parametrize("path", ["s.outputs.id", "s.id"])
def test_outputs_that_are_not_there_say_why(
    outcome: Literal["skipped", "failure"], reason: str, path: str
) -> None:
    scope = with_step(job_scope(job_input({})), "s", StepResult(outcome, outcome))
    with pytest.raises(TemplateError, match=f"no field 'id': {reason}, so it has no outputs"):
        render_text(f"{{{{ .steps.{path} }}}}", scope)
    assert render_text(f"{{{{ .steps.{path} | default('none') }}}}", scope) == "none"
    assert render_text("{{ .steps.s.outputs }}", scope) == {}


def test_steps_add_up() -> None:
    scope = job_scope(job_input({}))
    for step in ("one", "two"):
        scope = with_step(scope, step, completed(name=step))
    assert render_text("{{ .steps.one.name }} {{ .steps.two.name }}", scope) == "one two"


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(RESERVED_NAMES)), st.none()))
def test_scopes_are_made_without_touching_what_they_are_made_of(data: dict[str, Any]) -> None:
    given_input = job_input(data)
    before = copy.deepcopy(given_input)
    scope = job_scope(given_input)
    kept = copy.deepcopy(scope)
    with_step(scope, "s", completed(x=1))
    assert given_input == before
    assert scope == kept
    assert scope["input"] == data
    assert {name: scope[name] for name in data.keys() - RESERVED_NAMES} == {
        name: data[name] for name in data.keys() - RESERVED_NAMES
    }
