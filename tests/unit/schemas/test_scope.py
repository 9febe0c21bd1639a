from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import Event, Job, JobInput
from hatchet_schemas.scope import RESERVED_NAMES, job_scope, with_step_outputs
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
    scope = with_step_outputs(job_scope(job_input({})), "step-1", {"id": 7})
    assert render_text("{{ .steps.step-1.outputs.id }}", scope) == 7
    assert render_text("{{ .steps.step-1.id }}", scope) == 7


def test_an_output_named_outputs_is_below_outputs() -> None:
    scope = with_step_outputs(job_scope(job_input({})), "s", {"outputs": 1})
    assert render_text("{{ .steps.s.outputs.outputs }}", scope) == 1


def test_steps_add_up() -> None:
    scope = job_scope(job_input({}))
    for step in ("one", "two"):
        scope = with_step_outputs(scope, step, {"name": step})
    assert render_text("{{ .steps.one.name }} {{ .steps.two.name }}", scope) == "one two"


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(RESERVED_NAMES)), st.none()))
def test_scopes_are_made_without_touching_what_they_are_made_of(data: dict[str, Any]) -> None:
    given_input = job_input(data)
    before = copy.deepcopy(given_input)
    scope = job_scope(given_input)
    kept = copy.deepcopy(scope)
    with_step_outputs(scope, "s", {"x": 1})
    assert given_input == before
    assert scope == kept
    assert scope["input"] == data
    assert {name: scope[name] for name in data.keys() - RESERVED_NAMES} == {
        name: data[name] for name in data.keys() - RESERVED_NAMES
    }
