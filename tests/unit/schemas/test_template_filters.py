"""The filters of templates: which there are, that they are Jinja's, and make JSON data."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2.filters import FILTERS as JINJA2_FILTERS
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS as JINJA2_TESTS

from hatchet_schemas import TemplateError
from hatchet_schemas.template_filters import ALL_FILTERS, ALL_TESTS
from hatchet_schemas.template_language import Environment
from hatchet_schemas.templates import render_text

ENVIRONMENT: Final = Environment()
PLAIN_JINJA: Final = SandboxedEnvironment(keep_trailing_newline=True)
OURS: Final = {"b64decode", "b64encode", "fromjson", "sha256", "slugify"}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MARKUP = st.lists(
    st.sampled_from(
        ["<", ">", "<!--", "-->", "<b>", "</b>", "a", " ", "\n", "&amp;", "&lt", "!", "-"]
    )
).map("".join)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
ARGUMENTS: Final = {
    "attr": ["'a'"],
    "batch": ["2", "2, 'x'"],
    "format": ["1", "'a', 2"],
    "groupby": ["'a'", "0"],
    "map": ["'upper'", "attribute='a'"],
    "rejectattr": ["'a'"],
    "replace": ["'a', 'b'"],
    "selectattr": ["'a'", "'a', 'eq', 1"],
    "slice": ["2", "2, 'x'"],
}


def worth(template: str, value: Any) -> Any:
    return render_text(template, {"v": value})


def jinja(template: str, value: Any) -> str:
    """What the template is to Jinja2 itself, as a text."""
    text: str = PLAIN_JINJA.from_string(template).render(v=value)
    return text


def test_the_filters_are_those_of_jinja_without_random_and_a_few_of_ours() -> None:
    assert set(ALL_FILTERS) == set(JINJA2_FILTERS) - {"random"} | OURS


def test_the_tests_are_those_of_jinja() -> None:
    assert set(ALL_TESTS) == set(JINJA2_TESTS)


@pytest.mark.parametrize("name", sorted(ALL_FILTERS))
@given(value=JSON_VALUES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_filter_makes_json_data_or_fails_as_a_template(name: str, value: Any) -> None:
    before = json.dumps(value)
    for arguments in ARGUMENTS.get(name, [""]):
        call = f"v | {name}" + (f"({arguments})" if arguments else "")
        try:
            made = filtered(call, value)
        except TemplateError:
            continue
        assert_plain(made)
    assert json.dumps(value) == before


def filtered(call: str, value: Any) -> Any:
    """What a filter makes, before it is copied into plain JSON data."""
    made: list[Any] = []

    def keep(item: Any) -> str:
        made.append(item)
        return ""

    ENVIRONMENT.filters["keep"] = keep
    template = ENVIRONMENT.from_string(f"{{{{ {call} | keep }}}}")
    context = template.new_context({"v": value})
    try:
        list(template.root_render_func(context))
    except Exception as error:
        raise TemplateError(call, str(error)) from error
    return made[0]


def assert_plain(value: Any) -> None:
    if type(value) is list:
        for item in value:
            assert_plain(item)
    elif type(value) is dict:
        for key, item in value.items():
            assert type(key) is str
            assert_plain(item)
    else:
        assert value is None or type(value) in {str, int, float, bool} or is_missing(value)


def is_missing(value: Any) -> bool:
    return type(value).__name__ == "Missing"


@pytest.mark.parametrize(
    "template",
    [
        "{{ v | capitalize }}",
        "{{ v | center(20) }}",
        "{{ v | e }}",
        "{{ v | indent(3, true) }}",
        "{{ v | indent('> ', false, true) }}",
        "{{ v | replace('a', 'b', 2) }}",
        "{{ v | striptags }}",
        "{{ v | title }}",
        "{{ v | trim('ab') }}",
        "{{ v | truncate(10, true) }}",
        "{{ v | urlencode }}",
        "{{ v | urlize(10, target='_top') }}",
        "{{ v | wordcount }}",
        "{{ v | wordwrap(5) }}",
        "{{ v | wordwrap(5, false, '/') }}",
        "{{ v[1:5] }}",
        "{{ v | list | batch(3, '-') | map('join') | join('/') }}",
        "{{ v | list | slice(3, '-') | map('join') | join('/') }}",
        "{{ v | list | unique | join }}",
        "{{ v | list | sort | join }}",
        "{{ v | list | map('upper') | select('in', 'ABC') | join }}",
        "{{ v | list | groupby(0) | map(attribute='list') | map('length') | sum }}",
    ],
)
@given(value=TEXTS | MARKUP)
@settings(max_examples=30, deadline=None)
def test_a_filter_of_texts_is_jinjas(template: str, value: str) -> None:
    assert str(worth(template, value)) == jinja(template, value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ v | sort | join(',') }}",
        "{{ v | sort(reverse=true) | first | default('-') if v else '' }}",
        "{{ v | unique | join(',') }}",
        "{{ v | max if v else '' }}",
        "{{ v | min if v else '' }}",
        "{{ v | sum }}",
        "{{ v | batch(2) | map('sum') | join(',') }}",
        "{{ v | slice(2) | map('length') | join(',') }}",
        "{{ v | select('odd') | join(',') }}",
        "{{ v | reject('gt', 3) | join(',') }}",
        "{{ v | map('string') | join(',') }}",
        "{{ v | map('filesizeformat') | join(',') }}",
        "{{ v | reverse | join(',') }}",
        "{{ '%5d|%-5x|%05.2f|%+d|%s|%%' | format(v | first, 255, 1.5, 3, 'x') if v else '' }}",
    ],
)
@given(value=st.lists(st.integers(-9, 2000), max_size=12))
@settings(max_examples=30, deadline=None)
def test_a_filter_of_numbers_is_jinjas(template: str, value: list[int]) -> None:
    made = worth(template, value)
    assert str(made) == jinja(template, value)


@given(st.lists(st.fixed_dictionaries({"a": st.sampled_from("xXyYz"), "b": st.integers(0, 9)})))
@settings(max_examples=30, deadline=None)
def test_maps_are_sorted_and_grouped_as_in_jinja(value: list[dict[str, Any]]) -> None:
    for template in (
        "{{ v | sort(attribute='a,b') | map(attribute='b') | join(',') }}",
        "{{ v | sort(attribute='a', reverse=true) | map(attribute='b') | join(',') }}",
        "{{ v | groupby('a') | map(attribute='grouper') | join(',') }}",
        "{{ v | groupby('a', case_sensitive=true) | map(attribute='grouper') | join(',') }}",
        "{{ v | unique(attribute='a') | map(attribute='b') | join(',') }}",
        "{{ v | selectattr('b', 'odd') | map(attribute='a') | join(',') }}",
    ):
        assert str(worth(template, value)) == jinja(template, value)


@given(JSON_VALUES)
@settings(max_examples=50, deadline=None)
def test_what_is_encoded_can_be_decoded(value: Any) -> None:
    spelt = json.dumps(value)
    assert json.dumps(worth("{{ v | tojson | fromjson }}", value)) == spelt
    assert json.dumps(worth("{{ v | pprint | fromjson }}", value)) == spelt
    assert json.dumps(worth("{{ v | tojson | b64encode | b64decode | fromjson }}", value)) == spelt


@given(TEXTS)
@settings(max_examples=50, deadline=None)
def test_a_slug_is_lower_case_words_and_hyphens(value: str) -> None:
    slug = worth("{{ v | slugify }}", value)
    assert slug.strip("-") == slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert worth("{{ v | slugify }}", slug) == slug


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{ 'a' | replace('a') }}", "replace(): missing a required argument: 'new'"),
        ("{{ 'a' | center(1, 2) }}", "center(): too many positional arguments"),
        ("{{ 'a' | trim(nope=1) }}", "trim(): got an unexpected keyword argument 'nope'"),
        ("{{ ['a'] | map('replace', 'a') }}", "replace() missing 1 required positional argument"),
        ("{{ 1 is divisibleby }}", "divisibleby(): missing a required argument: 'divisor'"),
        ("{{ 'b' if v else 'a' | replace('a') }}", "replace(): missing a required argument: 'new'"),
        ("{{ 1 | select }}", "a list is needed, not a number"),
    ],
)
def test_an_argument_that_is_wrong_is_told_by_the_filters_name(template: str, name: str) -> None:
    with pytest.raises(TemplateError) as caught:
        worth(template, 1)
    assert name in caught.value.reason


@pytest.mark.parametrize(
    "call",
    [
        "v | int(base=v)",
        "v | float | round(v)",
        "v | fromjson",
        "v | b64decode",
        "v | filesizeformat",
        "v | format(1)",
        "'%d' | format(v)",
        "'%(a)d' | format(a=v)",
        "[1] | map(v)",
        "[1] | select(v)",
        "[{}] | selectattr('a', v)",
        "{v: 1} | xmlattr",
        "'a' | urlize(extra_schemes=[v])",
        "1 | round(1, v)",
        "{} | dictsort(by=v)",
        "'a' | wordwrap(v)",
        "'a' | center(v)",
        "[1] | batch(v)",
        "1 | tojson(indent=v)",
        "v is divisibleby(2)",
        "v < 1",
        "v in 1",
        "[v, 1] | sort",
        "[v, 1] | sum",
    ],
)
def test_values_stay_out_of_the_messages_of_filters(call: str) -> None:
    for value in ("hunter2 =%", "%hunter2", "hunter2"):
        with pytest.raises(TemplateError) as caught:
            worth(f"{{{{ {call} }}}}{{{{ none.x }}}}", value)
        assert "hunter2" not in str(caught.value)
