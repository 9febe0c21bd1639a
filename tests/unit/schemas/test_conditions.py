from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hatchet_schemas import TemplateError
from hatchet_schemas.conditions import IfExpression, JobStatus, condition_of

SCOPE: dict[str, Any] = {
    "amount": 40,
    "plan": "pro",
    "active": True,
    "empty": "",
    "tags": [],
    "user": {"name": "Ada"},
    "status_failure__": True,
    "steps": {"step-1": {"outcome": "success"}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        (".active", True),
        ("active", True),
        ("not .active", False),
        (".amount > 100", False),
        (".amount > 10 and .plan == 'pro'", True),
        (".plan in ['pro', 'team']", True),
        (".empty", False),
        (".tags", False),
        ("0", False),
        ("none", False),
        ("'false'", True),
        (".nick is defined", False),
        (".nick | default(false)", False),
        ("{{ .amount == 40 }}", True),
        ("  {{- .amount == 40 -}}  ", True),
        (".steps.step-1.outcome == 'success'", True),
        (".plan == 'a }} b'", False),
    ],
)
def test_a_condition_is_an_expression_with_or_without_braces(text: str, *, expected: bool) -> None:
    assert condition_of(text).holds(SCOPE) is expected


@pytest.mark.parametrize(
    ("text", "success", "failure", "cancelled"),
    [
        ("true", True, False, False),
        (".active", True, False, False),
        ("success()", True, False, False),
        ("failure()", False, True, False),
        ("cancelled()", False, False, True),
        ("always()", True, True, True),
        ("not success()", False, True, True),
        ("failure() or cancelled()", False, True, True),
        ("{{ failure() and .active }}", False, True, False),
        ("always() and .amount > 100", False, False, False),
        ("success() if .active else failure()", True, False, False),
        ("'failure()' == 'failure()'", True, False, False),
    ],
)
def test_status_functions_say_when_a_step_runs(
    text: str, *, success: bool, failure: bool, cancelled: bool
) -> None:
    condition = condition_of(text)
    held = [condition.holds(SCOPE, status) for status in JobStatus]
    assert held == [success, failure, cancelled]


def test_no_field_of_an_event_answers_for_a_status_function() -> None:
    assert not condition_of("failure()").holds(SCOPE)


def test_a_condition_without_status_function_is_not_looked_at_after_a_failure() -> None:
    assert not condition_of(".missing.field").holds(SCOPE, JobStatus.FAILURE)


@pytest.mark.parametrize(
    ("text", "offset", "rule", "message"),
    [
        ("", 0, "condition", "the condition is empty"),
        ("   ", 0, "condition", "the condition is empty"),
        (".a ==", 5, "template", "unexpected"),
        ("{{ .a ==", 6, "template", "unexpected 'end of template'"),
        ("{{ .a }} == true", 0, "condition", "a condition is one expression"),
        ("{{ .a }}{{ .b }}", 0, "condition", "a condition is one expression"),
        (".a }} and {{ .b", 0, "condition", "a condition is one expression"),
        ("{% if .a %}1{% endif %}", 1, "template", "unexpected '%'"),
        (".a && .b", 3, "template", "write `and` for &&"),
        ("github.ref == 'x' || .b", 19, "template", "write `or` for ||"),
        ("failure(1)", 7, "template", "templates have no calls"),
        ("foo()", 3, "template", "templates have no calls"),
        (".a | uper", 5, None, "unknown filter 'uper'; did you mean 'upper'?"),
        (".secrets.TOKEN == 'x'", 1, "secret-use", "a condition cannot read secrets"),
        ("  {{ .a and .secrets.TOKEN }}", 13, "secret-use", "a condition cannot read secrets"),
        (".secrets", 1, "secret-use", "a condition cannot read secrets"),
    ],
)
def test_what_is_no_condition_is_told_with_its_place(
    text: str, offset: int, rule: str | None, message: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        condition_of(text)
    assert message in caught.value.reason
    assert caught.value.source == text
    assert caught.value.offset == offset
    assert rule in {caught.value.rule, None}


def test_a_missing_field_is_an_error_that_names_what_there_is() -> None:
    with pytest.raises(
        TemplateError, match=r"'\.user\.nick == 1': no field 'nick'; there are: name"
    ):
        condition_of(".user.nick == 1").holds(SCOPE)


def test_what_a_condition_reads_is_known_without_what_it_calls() -> None:
    condition = condition_of("failure() and .user.name == 'x' or .steps.step-1.outcome")
    assert condition.functions == {"failure"}
    assert {str(reference) for reference in condition.references} == {
        ".user.name",
        ".steps.step-1.outcome",
    }


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (".a", ".a")])
def test_a_file_may_hold_a_condition_as_a_truth_value(value: object, text: str) -> None:
    assert TypeAdapter(IfExpression).validate_python(value) == text


@pytest.mark.parametrize("value", [1, None, [], {}, ".a ==", ""])
def test_a_file_may_hold_nothing_else(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(IfExpression).validate_python(value)


@given(st.text(max_size=40) | st.from_regex(r"[.a-z{}()%#' ]{0,20}"))
def test_any_text_is_a_condition_or_an_error_with_a_place_inside_it(text: str) -> None:
    try:
        condition = condition_of(text)
    except TemplateError as error:
        offset = error.offset
    else:
        offset = 0
        assert condition.source == text
    assert 0 <= offset <= len(text)
