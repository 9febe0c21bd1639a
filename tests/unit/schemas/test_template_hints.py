"""What people write by habit from Go or GitHub Actions is answered with what to write instead."""

from __future__ import annotations

import pytest

from hatchet_schemas import TemplateError
from hatchet_schemas.conditions import condition_of
from hatchet_schemas.template_hints import hint
from hatchet_schemas.templates import render_text

SCOPE = {"x": "a", "a": {"b": 1, "b-c": 1, "c-d": 2}, "b": 2, "xs": [1, 2]}


def reason(template: str) -> str:
    with pytest.raises(TemplateError) as caught:
        render_text(template, SCOPE)
    return caught.value.reason


@pytest.mark.parametrize(
    ("habit", "advice"),
    [
        ('{{ index .a "b-c" }}', 'write .a["b-c"] or .a.b-c'),
        ('{{ .x | printf "%s" }}', "printf is Go's"),
        ('{{ printf "%s" .x }}', "'%s' | format(.x)"),
        ("{{ range .xs }}a{{ end }}", "write .items | map(attribute='id') | join(', ')"),
        ("{{ range $i, $x := .xs }}a{{ end }}", "for a loop"),
        ("{{ with .a }}{{ .b }}{{ end }}", "write the whole path, .a.b"),
        ("{{ if .x }}a{{ end }}", "write {% if … %}"),
        ("{{- if eq .x 1 -}}a{{- else -}}b{{- end -}}", "write {% if … %}"),
        ("a{{ end }}{{ .x", "write {% if … %}"),
        ("{{ $x := .a }}{{ $x }}", "templates have no variables"),
        ("{{ $x }}", "variables with $ are Go's"),
        ("{{ $.x }}", "variables with $ are Go's"),
        ('{{ template "x" . }}', "no parts of their own"),
        ('{{ define "x" }}{{ end }}', "no parts of their own"),
        ('{{ include "x" . | nindent 4 }}', "no parts of their own"),
        ("{{ len .x }}", "write .list | length"),
        ("{{ .x | len }}", "write .list | length"),
        ('{{ .x | default "y" }}', "in parentheses"),
        ('{{ default "y" .x }}', "write .x | default('y')"),
        ("{{ eq .a .b }}", "write .a == .b"),
        ("{{ ne .a .b }}", "write .a != .b"),
        ("{{ not (eq .a .b) }}", "write .a == .b"),
        ("{{ and .a .b }}", "write .a and .b"),
        ("{{ or .a .b }}", "write .a or .b"),
        ("{{ print .a .b }}", "write .a ~ .b"),
        ("{{ toJson .x }}", "the filter is called tojson"),
        ("{{ .x | toJson }}", "the filter is called tojson"),
        ("{{ .x | quote }}", "write .x | tojson"),
        ('{{ now | date "2006-01-02" }}', ".event.time"),
        ("{{ trim .x }}", "write .x | trim"),
        ("{{ .x | trunc 5 }}", "write .x[:20]"),
        ("{{ .x | b64enc }}", "the filter is called b64encode"),
        ("{{ .x | sha256sum }}", "the filter is called sha256"),
        ('{{ hasPrefix "a" .x }}', "write .x[:4] == 'abc-'"),
        ('{{ ternary "a" "b" .x }}', "write .a if .condition else .b"),
        ('{{ join "," .xs }}', "write .list | join(', ')"),
        ('{{ env "HOME" }}', ".vars.NAME"),
        ("{{ .xs | random }}", "draw no lots"),
        ("{{/* a comment */}}", "write {# … #}"),
        ("${{ .x + }}", "without the dollar sign"),
        ("{{ .a && .b }}", "write `and` for &&"),
        ("{{ .a || .b }}", "write `or` for ||"),
        ("{{ !.a }}", "write `not` for !"),
        ("{{ .a === .b }}", "write == for ==="),
        ("{{ .a ? 1 : 2 }}", "write .b if .a else .c"),
        ("{{ .a ?? 1 }}", "write .a | default(.b)"),
        ("${{ contains(github.event.x, 'a') }}", "write 'part' in .text"),
        ("${{ !contains(.x, 'a') }}", "write 'part' in .text"),
        ("${{ startsWith(.x, 'a') }}", "write .x[:4] == 'abc-'"),
        ("${{ endsWith(.x, 'a') }}", "write .x[-4:] == '.txt'"),
        ("${{ format('{0}', .x) }}", "'%s' | format(.x)"),
        ("${{ join(.xs, ', ') }}", "write .list | join(', ')"),
        ("{{ toJSON(.x) }}", "the filter is called tojson"),
        ("{{ fromJSON(.x).y }}", "the filter is called fromjson"),
        ("{{ hashFiles('**/go.sum') }}", "templates see no files"),
        ("{{ success() }}", "is for the `if` of a step"),
        # names that are found missing only when the template is rendered
        ("${{ github.event.x }}", "write .x for github.event.x"),
        ("${{ needs.build.outputs.x }}", ".steps.ID.outputs.x"),
        ("${{ env.HOME }}", ".vars.NAME"),
        ("{{ now }}", ".event.time"),
        ("{{ null }}", "write none for null"),
    ],
)
def test_a_habit_is_answered(habit: str, advice: str) -> None:
    assert advice in reason(habit)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ .a.b }}", 1),
        ("{{ .a.b if .a else .b }}", 1),
        ("{{- .a.b -}}", 1),
        ("{{ .a.c-d }}", 2),
        ('{{ .a["c-d"] }}', 2),
        ("{{ .a.b != 2 }}", True),
        ("{{ not .x }}", False),
        ("{{ not (.a and .b) }}", False),
        ("costs $5, {{ .a.b }}", "costs $5, 1"),
        ("costs ${{ .a.b }}", "costs $1"),
        ("{{ .xs | join(', ') }} && !x || y", "1, 2 && !x || y"),
        ("{{ '&& {{ if .x }} || $x' }}", "&& {{ if .x }} || $x"),
        ("{{ '%s, %s' | format(.x, .b) }}", "a, 2"),
    ],
)
def test_what_looks_like_a_habit_and_is_right_works(template: str, value: object) -> None:
    assert render_text(template, SCOPE) == value


@pytest.mark.parametrize(
    "template",
    [
        "make && make install {{ .x + }}",
        "if (!a || b) {{ .x + }}",
        "{{ 'a && b || !c ? $d' + }}",
        '{{ "if eq .x" + }}',
        "{{ .x | upper if .a else }}",
        "{{ .x | upper and .a + }}",
        "{{ .xs | join(', ') + }}",
        "{{ first in .xs + }}",
        "{{ .list.len.end.index + }}",
        "{{ }}",
    ],
)
def test_no_hint_is_given_for_what_was_not_meant(template: str) -> None:
    assert hint(template) == ""
    assert ";" not in reason(template)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", "{{|{{ |'|\"|a|(|( a |a(|$ |`|&|! |? ".split("|"))
def test_hints_are_found_soon(piece: str) -> None:
    hint("{{" + piece * (16_384 // len(piece)))


def test_a_filter_that_is_nearly_right_is_recognised() -> None:
    with pytest.raises(
        TemplateError, match="unknown filter 'uper'; did you mean 'upper'"
    ) as caught:
        render_text("say {{ .x | uper }}", {"x": "a"})

    assert caught.value.offset == 12


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("${{ .x }}", "; write {{ … }} without the dollar sign"),
        (" ${{ .x }}", "; write {{ … }} without the dollar sign"),
        (
            " ${{ .x && .y }}",
            "; write {{ … }} without the dollar sign, and write `and` for &&",
        ),
    ],
)
def test_a_condition_with_a_dollar_sign_is_told_to_leave_it_out(
    condition: str, advice: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        condition_of(condition)

    assert caught.value.reason.endswith(advice)
