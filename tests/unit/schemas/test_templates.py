from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hatchet_schemas import TemplateError
from hatchet_schemas.templates import (
    MAX_RENDERED_CHARACTERS,
    render,
    render_text,
    template_errors,
)

SCOPE: dict[str, Any] = {
    "name": "Ada",
    "text": "a b",
    "empty": "",
    "n": 5,
    "f": 1.5,
    "yes": True,
    "none": None,
    "list": [3, 1, 2],
    "texts": ["b", "A"],
    "people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 41}],
    "map": {"a": 1, "b c": 2, "x-y": 3, "items": "mine", "keys": [1], "in": {"if": {"not": 4}}},
    "user": {"email": "a@example.org", "address": {"city": "Z\u00fcrich"}},
    "first-name": "Ada",
    "steps": {"step-1": {"id": 7, "outputs": {"id": 7}}},
    "html": "<b>&",
    "hostile": "{{ .name }} {% if 1 %}",
    "big": "x" * 60_000,
    "quotes": '"' * 1000,
    "many": list(range(20_000)),
    "_private": 1,
    "self": "me",
    "result": "ok",
    "0": "zero",
}

JSON_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TEMPLATE_LIKE = st.sampled_from(
    ["{{ .name }}", "{{", "}}", "{% if %}", "{#", "{{ 7*7 }}", "{% raw %}", "{{ x", "\\{{"]
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXTS
    | TEMPLATE_LIKE,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXTS | TEMPLATE_LIKE, inner, max_size=4)
    ),
    max_leaves=12,
)


def refusal(template: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render_text(template, SCOPE)
    return caught.value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in type too: 1 is neither true nor 1.0."""
    return json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # texts that are no templates
        ("", ""),
        ("plain", "plain"),
        (".name", ".name"),
        ("}} {name} $name %s", "}} {name} $name %s"),
        ("{ { .name } }", "{ { .name } }"),
        # one single expression keeps its type
        ("{{ .name }}", "Ada"),
        ("{{.name}}", "Ada"),
        ("{{- .name -}}", "Ada"),
        ("{{ name }}", "Ada"),
        ("{{ .n }}", 5),
        ("{{ .f }}", 1.5),
        ("{{ .yes }}", True),
        ("{{ .none }}", None),
        ("{{ .list }}", [3, 1, 2]),
        ("{{ .people }}", [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 41}]),
        ("{{ 'text' }}", "text"),
        ("{{ [1, 'a', none, true] }}", [1, "a", None, True]),
        ("{{ {'a': .n} }}", {"a": 5}),
        # text around it makes a text, values spelt as JSON
        (" {{ .n }}", " 5"),
        ("Hello {{ .name }}!", "Hello Ada!"),
        ("{{ .name }}{{ .n }}", "Ada5"),
        ("{{ .yes }} {{ .none }} {{ .f }}", "true null 1.5"),
        ("x{{ .list }}", "x[3, 1, 2]"),
        ("x{{ .user.address }}", 'x{"city": "Z\u00fcrich"}'),
        ("{{ .name }}\n", "Ada\n"),
        ("{# note #}{{ .n }}", 5),
        ("{# note #}", ""),
        ("{% raw %}{{ .name }}{% endraw %}", "{{ .name }}"),
        # paths
        ("{{ .user.email }}", "a@example.org"),
        ("{{ .user.address.city }}", "Z\u00fcrich"),
        ("{{ .people.0.name }}", "Ada"),
        ("{{ .people[1].age }}", 41),
        ("{{ .people[-1].age }}", 41),
        ("{{ .map['b c'] }}", 2),
        ("{{ .map.x-y }}", 3),
        ("{{ .first-name }}", "Ada"),
        ("{{ first-name }}", "Ada"),
        ("{{ .steps.step-1.outputs.id }}", 7),
        ("{{ .steps.step-1.id + 1 }}", 8),
        ("{{ .steps['step-1'].id }}", 7),
        ("{{ .map.in.if.not }}", 4),
        ("{{ .map.items }}", "mine"),
        ("{{ .map.keys }}", [1]),
        ("{{ ._private }}", 1),
        ("{{ .list[0] }}", 3),
        ("{{ .list[1:] }}", [1, 2]),
        ("{{ .name[0] }}", "A"),
        ("{{ self }} {{ .self }}", "me me"),
        ("{{ self }}", "me"),
        ("{{ result }}", "ok"),
        # operators
        ("{{ .n + 1 }}", 6),
        ("{{ .n -1 }}", 4),
        ("{{ .n - .f }}", 3.5),
        ("{{ -.n }}", -5),
        ("{{ .n * 2 }}", 10),
        ("{{ 7 / 2 }}", 3.5),
        ("{{ 7 // 2 }}", 3),
        ("{{ 7 % 4 }}", 3),
        ("{{ .name + '!' }}", "Ada!"),
        ("{{ .list + [4] }}", [3, 1, 2, 4]),
        ("{{ .name ~ .n ~ .yes ~ .none ~ [1] }}", "Ada5truenull[1]"),
        ("-{{ true ~ none }}", "-truenull"),
        ("{{ .n > 3 and .yes }}", True),
        ("{{ not .yes or .none }}", None),
        ("{{ 1 in .list }}", True),
        ("{{ 'a' in .map }}", True),
        ("{{ .n is eq .n }}", True),
        ("{{ .n is not eq .f }}", True),
        ("{{ .n == 5 and .map.in.if.not == 4 }}", True),
        # conditionals
        ("{{ 'y' if .yes else 'n' }}", "y"),
        ("{{ 'y' if .empty else .n }}", 5),
        ("{% if .yes %}{{ .n }}{% else %}no{% endif %}", "5"),
        ("{% if .none %}a{% elif .n == 5 %}b{% else %}c{% endif %}", "b"),
        ("{{ .nope is defined }}", False),
        ("{{ .name is defined and .none is none }}", True),
        # filters
        ("{{ .nope | default('d') }}", "d"),
        ("{{ .nope.a.b | default(.n) }}", 5),
        ("{{ .user.nope | default(none) }}", None),
        ("{{ .none | default('d') }}", None),
        ("{{ .empty | default('d', true) }}", "d"),
        ("{{ .name | upper }}", "ADA"),
        ("{{ .name | lower | length }}", 3),
        ("{{ .list | sort }}", [1, 2, 3]),
        ("{{ .list | sort | join('-') }}", "1-2-3"),
        ("{{ [true, none, [1]] | join(',') }}", "true,null,[1]"),
        ("{{ .people | map(attribute='name') }}", ["Ada", "Bob"]),
        ("{{ .people | map(attribute='name') | join(', ') }}", "Ada, Bob"),
        ("{{ .people | join('+', attribute='age') }}", "36+41"),
        ("{{ .people | selectattr('age', 'gt', 40) | map(attribute='name') | first }}", "Bob"),
        ("{{ .texts | map('upper') | length }}", 2),
        ("{{ .list | map('string') }}", ["3", "1", "2"]),
        ("{{ .list | select('in', [1, 2]) }}", [1, 2]),
        ("{{ .list | sum }}", 6),
        ("{{ .people | sum(attribute='age') }}", 77),
        ("{{ .list | max - .list | min }}", 2),
        ("{{ .list | reverse }}", [2, 1, 3]),
        ("{{ [1, 1, 2] | unique }}", [1, 2]),
        ("{{ {'b': 1, 'a': 2} | dictsort }}", [["a", 2], ["b", 1]]),
        ("{{ {'a': 1} | items }}", [["a", 1]]),
        ("{{ '42' | int + 1 }}", 43),
        ("{{ 'ff' | int(base=16) }}", 255),
        ("{{ 'x' | int(7) }}", 7),
        ("{{ 'x' | int(base=99) }}", 0),
        ("{{ '1.5' | float }}", 1.5),
        ("{{ 1.25 | round(1) }}", 1.2),
        ("{{ 1.25 | round(1, 'ceil') }}", 1.3),
        ("{{ -.n | abs }}", 5),
        ("{{ .text | replace(' ', '_') }}", "a_b"),
        ("{{ 'aaa' | replace('a', 'b', 2) }}", "bba"),
        ("{{ 'ab' | replace('', '-') }}", "-a-b-"),
        ("{{ 'a long text here' | truncate(9) }}", "a..."),
        ("{{ .text | title }}", "A B"),
        ("{{ ' x ' | trim }}", "x"),
        ("{{ .text | urlencode }}", "a%20b"),
        ("{{ .text | wordcount }}", 2),
        ("{{ .list | tojson }}", "[3, 1, 2]"),
        ("{{ .html | tojson }}", '"<b>&"'),
        ("{{ .html }}{{ .html | upper }}", "<b>&<B>&"),
        ("{{ .list | string }}", "[3, 1, 2]"),
        ("{{ .yes | string }}", "true"),
        # what was rendered once is data
        ("{{ .hostile }}", "{{ .name }} {% if 1 %}"),
        ("-{{ .hostile }}", "-{{ .name }} {% if 1 %}"),
        ("{{ '{{ .name }}' }}", "{{ .name }}"),
    ],
)
def test_templates_are_worth(template: str, expected: object) -> None:
    rendered = render_text(template, SCOPE)
    assert same(rendered, expected), rendered


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        # fields that are not there, by name
        ("{{ .nope }}", "no field 'nope'; there are: 0, _private, big, "),
        ("Hi {{ .nope }}", "no field 'nope'"),
        ("{{ nope }}", "unknown name 'nope'"),
        ("{{ .user.nope }}", "no field 'nope'; there are: address, email"),
        ("{{ .user.nope.deeper }}", "no field 'nope'; there are: address, email"),
        ("{{ .user.email.nope }}", "no field 'nope': there is a text"),
        ("{{ .none.nope }}", "no field 'nope': there is null"),
        ("{{ .n.nope }}", "no field 'nope': there is a number"),
        ("{{ .list[7] }}", "no field 7: there is a list"),
        ("{{ .list.nope }}", "no field 'nope': there is a list"),
        ("{{ .no-such-name }}", "no field 'no-such-name'"),
        ("{{ {}.nope }}", "no field 'nope'; there are: none"),
        ("{{ [.nope] }}", "no field 'nope'"),
        ("{{ {'a': .nope} }}", "no field 'nope'"),
        ("{{ .nope | upper }}", "no field 'nope'"),
        ("{{ .nope ~ 'x' }}", "no field 'nope'"),
        ("{{ .nope + 1 }}", "no field 'nope'"),
        ("{{ 1 if .nope else 2 }}", "no field 'nope'"),
        ("{% if .nope %}{% endif %}", "no field 'nope'"),
        ("{{ .list | join(.nope) }}", "no field 'nope'"),
        ("{{ .people | map(attribute='nope') }}", "no field 'nope'; there are: age, name"),
        ("{{ [1, .nope] | sum }}", "no field 'nope'"),
        # nothing of Python's shows through
        ("{{ .name.__class__ }}", "no field '__class__': there is a text"),
        ("{{ .name['__class__'] }}", "no field '__class__': there is a text"),
        ("{{ .list.append }}", "no field 'append': there is a list"),
        ("{{ .user.items }}", "no field 'items'; there are: address, email"),
        ("{{ .user.keys }}", "no field 'keys'; there are: address, email"),
        ("{{ .name.upper }}", "no field 'upper': there is a text"),
        ("{{ .n.real }}", "no field 'real': there is a number"),
        ("{{ .people | map(attribute='__class__') }}", "no field '__class__'"),
        ("{{ .name | attr('__class__') }}", "no field '__class__': there is a text"),
        ("{{ range }}", "unknown name 'range'"),
        ("{{ lipsum }}", "unknown name 'lipsum'"),
        ("{{ loop }}", "unknown name 'loop'"),
        # what is not in the language
        ("{{ .user.items() }}", "templates have no calls"),
        ("{{ range(9) }}", "templates have no calls"),
        ("{{ ''.join(.texts) }}", "templates have no calls"),
        ("{% for x in .list %}{% endfor %}", "templates have no loops"),
        ("{% set x = 1 %}", "templates have no assignments"),
        ("{% macro m() %}{% endmacro %}", "templates have no macro statements"),
        ("{% import 'x' as y %}", "templates have no import statements"),
        ("{% include 'x' %}", "templates have no include statements"),
        ("{% extends 'x' %}", "templates have no extends statements"),
        ("{% block x %}{% endblock %}", "templates have no block statements"),
        ("{% with a = 1 %}{% endwith %}", "templates have no with statements"),
        ("{% filter upper %}x{% endfilter %}", "templates have no filterblock statements"),
        ("{{ 2 ** 9 }}", "templates have no powers"),
        ("{{ (1, 2) }}", "templates have no tuples: write a list"),
        ("{{ .list | random }}", "unknown filter 'random'"),
        ("{{ .list | map('nope') }}", "unknown filter 'nope'; there are: "),
        ("{{ .list | select('nope') }}", "unknown test 'nope'; did you mean 'none'?"),
        ("{{ .n is nope }}", "unknown test 'nope'; did you mean 'none'?"),
        # operators and filters on the wrong kinds of values
        ("{{ 'x' * 9 }}", "* needs two numbers, not a text and a number; ~ joins texts"),
        ("{{ [0] * 9 }}", "* needs two numbers, not a list and a number"),
        ("{{ '%099999999d' % 1 }}", "% needs two numbers, not a text and a number"),
        ("{{ .name + 1 }}", "+ needs two numbers, not a text and a number"),
        ("{{ .list + .map }}", "+ needs two numbers, not a list and a map"),
        ("{{ .name - 1 }}", "- needs two numbers, not a text and a number"),
        ("{{ .none / 1 }}", "/ needs two numbers, not null and a number"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
        ("{{ .n < .name }}", "not supported between"),
        ("{{ [1, 'a'] | sort }}", "not supported between"),
        ("{{ [[1]] | unique }}", "unhashable type: 'list'"),
        ("{{ .n | length }}", "has no len()"),
        ("{{ .list | dictsort }}", "has no attribute 'items'"),
        ("{{ .map | dictsort(by='x') }}", "sort by either"),
        ("{{ 1 | round(1, 'x') }}", "method must be common, ceil or floor"),
        ("{{ .name | truncate(1) }}", "expected length >= 3, got 1"),
        ("{{ .name | replace('a') }}", "missing a required argument"),
        ("{{ [] | first }}", "sequence was empty"),
        ("{{ [[1], [2]] | sum(start=[]) }}", "sum needs numbers, not a list"),
        ("{{ .texts | sum }}", "sum needs numbers, not a text"),
        ("{{ .list[::0] }}", "slice step cannot be zero"),
        ("{{ .map[1:] }}", "[:] takes a part of a list or a text, not of a map"),
        # numbers that JSON cannot hold
        ("{{ 1e999 }}", "a number does not fit 64 bits"),
        ("x{{ 1e999 }}", "a number does not fit 64 bits"),
        ("{{ 9223372036854775808 }}", "a number does not fit 64 bits"),
        ("{{ 1e308 * 10 }}", "no finite number"),
        ("{{ 'nan' | float }}", "no finite number"),
        ("{{ '-inf' | float }}", "no finite number"),
        ("{{ 9223372036854775807 + 1 }}", "the result does not fit 64 bits"),
        ("{{ ('f' * 1) }}", "* needs two numbers"),
        ("{{ 'ffffffffffffffffffff' | int(base=16) }}", "the result does not fit 64 bits"),
        ("{{ '\\ud800' }}", "half of a surrogate pair"),
        ("x{{ '\\ud800' }}", "half of a surrogate pair"),
        ("{{ ['\\ud83d', '\\ude00'] }}", "half of a surrogate pair"),
        ("{{ '\\ud800' | urlencode }}", "half of a surrogate pair"),
        # what is no template at all
        ("{{", "unexpected 'end of template'"),
        ("{{ }}", "xpected an expression"),
        ("{{ . }}", "expected name or number"),
        ("{{ .a. }}", "expected name or number"),
        ("{{ .a", "nexpected end of template"),
        ("{{ .a }", "unexpected '}'"),
        ("{# note", "Missing end of comment tag"),
        ("{% if .a %}", "Unexpected end of template"),
        ("{% endif %}", "nknown tag 'endif'"),
        ("{% nope %}", "nknown tag 'nope'"),
        ("{{ .name | foo-bar }}", "expected token 'name'"),
        ("{{ 'open }}", "nexpected char"),
    ],
)
def test_templates_fail_with_a_reason(template: str, reason: str) -> None:
    error = refusal(template)
    assert reason in error.reason
    assert error.source == template
    assert str(error) == f"{template!r}: {error.reason}"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "template",
    [
        "{{ .big ~ .big }}",
        "{{ .big }}{{ .big }}",
        "{{ .big | replace('x', .big) }}",
        "{{ .big | replace('x', .big) | length }}",
        "{{ .big | replace('', .big) | length }}",
        "{{ .many | join(.big) | length }}",
        "{{ .many | map('replace', '', .big) | length }}",
        "{{ .many | map(attribute='x') | map('default', .big) | length }}",
        "{{ .many | map('string') | map('join', .big) | map('join', .big) | length }}",
        "{{ .quotes" + " | tojson" * 40 + " | length }}",
        "{{ .big" + " | urlencode" * 40 + " | length }}",
        "{{ .big" + " | list | join('--')" * 20 + " | length }}",
        "{{ " + " ~ ".join([".big"] * 2000) + " }}",
        "{{ (" + " ~ ".join([".big"] * 2000) + ") | length }}",
        "{{ [" + ",".join([".big"] * 2000) + "] }}",
        "x{{ [" + ",".join([".big"] * 2000) + "] }}",
        "{{ [" + ",".join([".many"] * 2000) + "] }}",
        "{{ [" + ",".join([".many | sort"] * 200) + "] | length }}",
        "{{ .many | select('in', .many) | length }}",
        "{{ " + " + ".join([".many"] * 40) + " + [" + " + ".join([".many"] * 40) + "] }}",
        "{{ " + " * ".join(["9223372036854775807"] * 40) + " }}",
        "{{ 1 | round(99999999, 'ceil') }}",
        "{{ 1 | round(-99999999) }}",
        "{{ .many | map('round', 99999999, 'floor') }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ 0x" + "f" * 15_000 + " }}",
        "x{{ 0x" + "f" * 15_000 + " }}",
        "{{ .n }}" + " " * 17_000,
    ],
)
def test_no_template_makes_much_of_little(template: str) -> None:
    error = refusal(template)
    assert len(str(error)) < 600


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "+".join(["1"] * 300) + " }}",
        "{{ " + "-".join(["1"] * 5000) + " }}",
        "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
        "{{ " + "[" * 60 + "]" * 60 + " }}",
        "{{ " + "[" * 5000 + "]" * 5000 + " }}",
        "{{ " + "{1:" * 100 + "1" + "}" * 100 + " }}",
        "{{ " + "not " * 300 + "1 }}",
        "{{ " + "- " * 300 + "1 }}",
        "{{ .map" + ".a" * 300 + " }}",
        "{{ .name" + "|upper" * 300 + " }}",
        "{{ " + "1 if 1 else " * 300 + "1 }}",
        "{% if 1 %}" * 150 + "{% endif %}" * 150,
        "{% if 1 %}" * 700 + "{% endif %}" * 700,
        "{{" * 8000,
        "{%" * 8000,
        "{#" * 8000,
        "{{ '" + "\\" * 15_000 + " }}",
        "{{ x" + "-" * 15_000 + " }}",
        "{{ " + "a." * 8000 + " }}",
    ],
)
def test_deep_templates_fail_soon(template: str) -> None:
    refusal(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "+".join([".n"] * 40) + " }}",
        "{{ " + "~".join([".n"] * 1000) + " }}",
        "{{ .n }}" * 1000,
        "{% if .n %}" * 30 + "{% endif %}" * 30,
        "{{ " + "[" * 40 + "]" * 40 + " }}",
        "{{ .big }}",
    ],
)
def test_templates_of_a_usual_size_are_within_bounds(template: str) -> None:
    render_text(template, SCOPE)


def test_a_text_may_have_the_largest_size_and_no_more() -> None:
    fits = {"text": "\u00e9" * MAX_RENDERED_CHARACTERS}
    assert render_text("{{ .text }}", fits) == fits["text"]
    assert render_text("{{ .text }}{# text #}", fits) == fits["text"]
    for template in ("{{ .text }}", "{{ .text }}{# text #}"):
        with pytest.raises(TemplateError, match="longer than 65,536 characters"):
            render_text(template, {"text": fits["text"] + "x"})


@pytest.mark.parametrize("template", ["{{ .deep }}", "x{{ .deep }}", "{{ .deep | tojson }}"])
def test_data_can_be_nested_too_deeply(template: str) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TemplateError, match="nested too deeply"):
        render_text(template, {"deep": deep})


def test_names_in_messages_are_cut_short() -> None:
    scope = {f"{'x' * 1000}{index}": 1 for index in range(1000)}
    with pytest.raises(TemplateError) as caught:
        render_text("{{ .nope }}", scope)
    assert len(str(caught.value)) < 2000


def test_values_stay_out_of_messages() -> None:
    scope = {"secret": "hunter2", "map": {"token": "hunter2"}}
    for template in (
        "{{ .map.nope }}",
        "{{ .secret.nope }}",
        "{{ .secret + 1 }}",
        "{{ .secret | round }}",
        "{{ .secret | sum }}",
        "{{ .secret | dictsort }}",
        "{{ -.secret }}",
        "{{ .secret < 1 }}",
        "{{ [.secret] | sum }}",
        "{{ .secret | truncate(.secret) }}",
    ):
        with pytest.raises(TemplateError) as caught:
            render_text(template, scope)
        assert "hunter2" not in str(caught.value)


def test_strings_are_rendered_wherever_they_stand() -> None:
    value = {
        "a": "{{ .n }}",
        "{{ .name }}": ["x", "{{ .list }}", {"b": "-{{ .name }}"}],
        "c": [1, None, True, 1.5],
    }
    assert render(value, SCOPE) == {
        "a": 5,
        "{{ .name }}": ["x", [3, 1, 2], {"b": "-Ada"}],
        "c": [1, None, True, 1.5],
    }


def test_an_error_tells_where_it_stands() -> None:
    with pytest.raises(TemplateError) as caught:
        render({"users": [{"email": "{{ .nope }}"}]}, SCOPE, ("with",))
    assert caught.value.loc == ("with", "users", 0, "email")
    assert caught.value.path == "with.users[0].email"
    assert str(caught.value).startswith("with.users[0].email: '{{ .nope }}': no field 'nope'")


def test_all_templates_that_do_not_compile_are_told() -> None:
    errors = template_errors({"a": "{{", "b": ["{{ .ok }}", "{% for %}"], "c": {"d": "{{ f() }}"}})
    assert [error.path for error in errors] == ["a", "b[1]", "c.d"]


def test_a_result_shares_nothing_with_the_scope() -> None:
    scope = copy.deepcopy(SCOPE)
    rendered = render_text("{{ .people }}", scope)
    rendered[0]["name"] = "changed"
    rendered.append(1)
    assert scope == SCOPE


@given(JSON_VALUES)
@settings(max_examples=200, deadline=None)
def test_a_single_expression_keeps_the_type_of_any_value(value: Any) -> None:
    assert same(render_text("{{ .v }}", {"v": value}), value)
    assert same(render("{{ .v.0.x }}", {"v": [{"x": value}]}), value)


@given(JSON_VALUES)
@settings(max_examples=200, deadline=None)
@example("{{ .v }}")
@example(["{{ 7*7 }}"])
def test_data_is_never_taken_for_a_template(value: Any) -> None:
    # Neither at once nor on the way through filters.
    spelt = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    scope = {"v": value}
    assert render_text("<{{ .v }}>", scope) == f"<{spelt}>"
    assert render_text("{{ .v ~ '' }}", scope) == spelt
    assert render_text("{{ .v | string }}", scope) == spelt
    assert render_text("{{ [.v, .v] | join }}", scope) == spelt + spelt


@given(JSON_VALUES, st.dictionaries(JSON_TEXTS, JSON_VALUES, max_size=4))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rendering_changes_neither_value_nor_scope(value: Any, scope: dict[str, Any]) -> None:
    kept_value, kept_scope = copy.deepcopy(value), copy.deepcopy(scope)
    try:
        render({"a": value, "b": "{{ .v | default('x') }}"}, scope)
    except TemplateError as error:
        assert error.loc[:1] == ("a",)  # noqa: PT017 - it may fail, but nowhere else
    assert value == kept_value
    assert scope == kept_scope


TOKENS = st.lists(
    st.sampled_from(
        "{{ }} {% %} {# #} . .. .name .list .map .n .many .big ~ + - * / // % ** | ( ) [ ] { } : , "
        "'a' \"b\" 1 0 2.5 1e9 if else elif endif not in is and or none true upper list join sort "
        "map select replace round sum int tojson default length first unique 'in' 'upper' "
        "x-y == < nope self root__ __class__".split()
    ),
    max_size=14,
)


@given(TOKENS.map(lambda tokens: "{{ " + " ".join(tokens) + " }}") | TOKENS.map(" ".join))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_template_is_worth_json_or_fails_as_one(template: str) -> None:
    try:
        rendered = render_text(template, SCOPE)
    except TemplateError:
        return
    json.dumps(rendered, allow_nan=False).encode()


@given(st.text(max_size=30).map(lambda text: "{{" + text + "}}"))
@settings(max_examples=200, deadline=None)
def test_any_text_in_braces_is_worth_json_or_fails_as_a_template(template: str) -> None:
    try:
        rendered = render_text(template, SCOPE)
    except TemplateError:
        return
    json.dumps(rendered, allow_nan=False).encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}, b"x"])
def test_what_is_no_json_is_refused(value: object) -> None:
    for template in ("{{ .v }}", "x{{ .v }}", "{{ [.v] }}"):
        with pytest.raises(TemplateError):
            render_text(template, {"v": value})


@pytest.mark.parametrize("test", ["odd", "even", "divisibleby(2)", "divisibleby 2"])
def test_tests_of_numbers_format_no_text(test: str) -> None:
    # Python's % formats a text, to any width that the text asks for.
    with pytest.raises(TemplateError, match="needs a number, not a text"):
        render_text(f"{{{{ '%99999d' is {test} }}}}", {})


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ 3 is odd }}", True),
        ("{{ .n is even }}", True),
        ("{{ .n is divisibleby(4) }}", False),
        ("{{ .n is divisibleby 3 }}", True),
    ],
)
def test_tests_of_numbers_work_on_numbers(template: str, value: object) -> None:
    assert render_text(template, {"n": 6}) is value
