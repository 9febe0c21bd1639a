"""What people write by habit from Go or GitHub Actions is answered with what to write instead."""

from __future__ import annotations

import pytest

from hatchet_schemas import TemplateError
from hatchet_schemas.templates import render_text


@pytest.mark.parametrize(
    ("habit", "advice"),
    [
        ("${{ .x + }}", "without the dollar sign"),
        ("{{ .a && .b }}", "write `and` for &&"),
        ("{{ .a || .b }}", "write `or` for ||"),
        ("{{ !.a }}", "write `not` for !"),
        ('{{ index .a "b-c" }}', 'write .a["b-c"] or .a.b-c'),
        ('{{ .x | printf "%s" }}', "printf is Go's"),
        ("{{ if .x }}a{{ end }}", "write {% if"),
        ("{{ range .xs }}a{{ end }}", "write {% if"),
        ("{{ eq .a .b }}", "write .a == .b"),
        ("{{ and .a .b }}", "write .a and .b"),
        ("{{ len .x }}", "write .list | length"),
        ('{{ .x | default "y" }}', "in parentheses"),
        ("{{/* a comment */}}", "write {# … #}"),
        ("{{ $x }}", "variables with $ are Go's"),
        ("{{ toJSON(.x) }}", "the filter is called tojson"),
    ],
)
def test_a_habit_is_answered(habit: str, advice: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render_text(habit, {"x": 1, "a": {"b-c": 1}, "b": 2})

    assert advice in caught.value.reason


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ .a.b }}", 1),
        ("{{ .a.b if .a else .b }}", 1),
        ("{{- .a.b -}}", 1),
        ("{{ .a.c-d }}", 2),
        ('{{ .a["c-d"] }}', 2),
        ("{{ .a.b != 2 }}", True),
        ("costs $5, {{ .a.b }}", "costs $5, 1"),
    ],
)
def test_what_looks_like_a_habit_and_is_right_works(template: str, value: object) -> None:
    assert render_text(template, {"a": {"b": 1, "c-d": 2}}) == value


def test_a_filter_that_is_nearly_right_is_recognised() -> None:
    with pytest.raises(
        TemplateError, match="unknown filter 'uper'; did you mean 'upper'"
    ) as caught:
        render_text("say {{ .x | uper }}", {"x": "a"})

    assert caught.value.offset == 12
