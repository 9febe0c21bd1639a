"""No template takes long, or makes much, whatever its author and its data are up to.

What is tested is that work is counted and refused, never how long it takes: rendering runs inside
Temporal workflows, where the same input has to end in the same way each time.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from hatchet_schemas import TemplateError
from hatchet_schemas.template_values import MAX_WORK, Meter, as_json_text, plain_copy
from hatchet_schemas.templates import render, render_text

# Each is what an event of 256 KB can hold.
SCOPE: Final[dict[str, Any]] = {
    "n": 1,
    "ones": [1] * 120_000,
    "numbers": list(range(40_000)),
    "same_numbers": list(range(40_000)),
    "texts": ["ab"] * 50_000,
    "long_texts": ["a" * 100 + str(index) for index in range(2_400)],
    "maps": [{"a": index % 10} for index in range(25_000)],
    "same_maps": [{"a": index % 10} for index in range(25_000)],
    "lists": [[1, 2]] * 25_000,
    "text": "a" * 250_000,
    "other": "\u4e2d" * 80_000,
    "words": "a " * 120_000,
    "lines": "a\n" * 120_000,
    "accents": "\u0300\u0323" * 60_000,
    "big": "x" * 60_000,
    "json": "[" + "1," * 120_000 + "1]",
    "objects": "[" + '{"":0},' * 36_000 + "1]",
    "comments": "<!<!-- -->-- -->" * 15_000,
    "nested_comments": "<!" * 60_000 + "-- -->" * 20_000,
    "brackets": ")" * 120_000 + "a)",
    "urls": "www.a.com " * 25_000,
}


def many(piece: str, count: int = 300) -> str:
    return "{{ [" + ",".join([piece] * count) + "] | length }}"


def refusal(template: str) -> str:
    with pytest.raises(TemplateError) as caught:
        render_text(template, SCOPE)
    return caught.value.reason


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "template",
    [
        # what a filter is asked to make
        "{{ 'x' | center(9999999) | length }}",
        "{{ .lines | indent(1000) | length }}",
        "{{ .lines | indent(.big) | length }}",
        "{{ 'x' | indent(9999999, true) | length }}",
        "{{ .ones | batch(9999999, 0) | length }}",
        "{{ .ones | batch(1) | length }}",
        "{{ .ones | slice(9999999) | length }}",
        "{{ .words | wordwrap(1) | length }}",
        "{{ .text | wordwrap(1) | length }}",
        "{{ .text | wordwrap(2, wrapstring=.big) | length }}",
        "{{ .maps | tojson(indent=8) | length }}",
        "{{ .maps | pprint | length }}",
        "{{ .urls | urlize | length }}",
        "{{ .urls | urlize(rel=.big) | length }}",
        "{{ .text | replace('a', '%%') | format | length }}",
        # what a filter reads
        "{{ .ones | sort | length }}",
        "{{ .maps | groupby('a') | length }}",
        "{{ .maps | sort(attribute='a,a,a,a,a,a') | length }}",
        "{{ .ones | unique | length }}",
        "{{ .ones | map(attribute='a.b.c') | length }}",
        "{{ .numbers | map('string') | length }}",
        "{{ .texts | map('upper') | length }}",
        "{{ .texts | map('int') | length }}",
        "{{ .texts | map('default', .big) | length }}",
        "{{ .numbers | select('odd') | length }}",
        "{{ .numbers | select('in', .numbers) | length }}",
        "{{ .long_texts | select('in', .long_texts) | length }}",
        "{{ .long_texts | map('replace', 'a', .big) | length }}",
        "{{ .maps | map('map', 'upper') | length }}",
        "{{ .text | map('map', 'map', 'map', 'upper') | length }}",
        "{{ .maps | map(attribute='" + "a." * 8000 + "a') | length }}",
        "{{ .text | trim(.other ~ 'a') | length }}",
        "{{ .json | fromjson | length }}",
        "{{ .objects | fromjson | length }}",
        "{{ .nested_comments | striptags | length }}",
        "{{ (.accents ~ .accents) | slugify | length }}",
        "{{ .accents | title | length }}",
        # a little, often
        "{{ " + "[" + ",".join([".text"] * 1000) + "] | sort | length }}",
        "{{ " + "[" + ",".join([".text"] * 1000) + "] | unique | length }}",
        "{{ " + "[" + ",".join([".text"] * 1000) + "] | max | length }}",
        "{{ " + "[" + ",".join([".ones"] * 1000) + "] | max | length }}",
        many(".text | upper | length"),
        many(".text | lower | length"),
        many(".text | wordcount"),
        many(".text | sha256"),
        many(".text is lower"),
        many(".ones | reverse | length"),
        many(".ones | list | length"),
        many(".texts | join | length"),
        many(".texts + .texts"),
        many(".numbers is eq(.same_numbers)"),
        many(".numbers is in([.same_numbers])"),
        many("'b' is in(.text)"),
        many("2 is in(.ones)"),
        many(".maps is lower"),
        # the same in operators
        many(".numbers == .same_numbers"),
        many(".maps != .same_maps"),
        many(".numbers < .same_numbers"),
        many("1 < 2 < 3 and .maps == .same_maps", 100),
        many("2 in .ones"),
        many("2 not in .ones"),
        many(".maps in [.same_maps]"),
        many("'ab' in .text"),
        many(".ones[:]"),
        many(".text[1:]"),
        many(".ones[::-1]"),
        # what only the result is made of
        "{{ [" + ",".join([".ones"] * 100) + "] }}",
        "x{{ [" + ",".join([".ones"] * 100) + "] }}",
        "{{ .maps | map('default') | list + .maps + .maps }}",
    ],
)
def test_work_is_counted_and_refused(template: str) -> None:
    assert "it takes too much work: more than 1,048,576" in refusal(template)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "template",
    [
        "{{ '%1001d' | format(1) }}",
        "{{ '%.1001f' | format(1) }}",
        "{{ '%" + "9" * 5000 + "d' | format(1) }}",
        "{{ '" + "[" * 65 + "]" * 65 + "' | fromjson }}",
        "{{ '" + "[" * 8000 + "' | fromjson }}",
        "{{ '" + "9" * 5000 + "' | fromjson }}",
        "{{ .n | tojson(indent=1000) }}",
        "{{ .n | tojson(indent=.big) }}",
        # a negative cost would pay for what comes behind it
        "{{ ('' | indent(-9000000000000)) ~ ('x' | center(1000000000) | length) }}",
        "{{ 'a' | indent(-1) }}",
        "{{ .n | default('x') | map(" + "'map'," * 2000 + "'upper') }}",
        "{{ [[]] | map(attribute='" + "9" * 5000 + "') }}",
    ],
)
def test_what_no_one_needs_is_refused(template: str) -> None:
    assert refusal(template)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("template", "value"),
    [
        # squares of the length, in Jinja2 or in CPython
        ("{{ .brackets | urlize | length }}", 120_002),
        ("{{ '" + "(" * 40 + "www.a.com' | urlize }}", "(" * 40 + "www.a.com"),
        ("{{ .accents | slugify | length }}", 0),
        ("{{ '" + "9" * 9000 + "' | int }}", 0),
        ("{{ '0." + "9" * 9000 + "' | float }}", 0.0),
        ("{{ '" + "<>" * 5000 + "x' | striptags }}", "x"),
        # what people do with the events they have
        ("{{ .texts[:2000] | map('upper') | unique }}", ["AB"]),
        ("{{ .maps[:2000] | selectattr('a', 'eq', 3) | length }}", 200),
        ("{{ .maps[:2000] | groupby('a') | length }}", 10),
        ("{{ .numbers[:10000] | sum }}", 49_995_000),
        ("{{ .numbers[:10000] | sort(reverse=true) | first }}", 9_999),
        ("{{ .big | replace('x', 'yy') | length }}", 120_000),
        ("{{ .big | wordwrap(80) | length }}", 60_749),
        ("{{ .big | b64encode | b64decode | length }}", 60_000),
        ("{{ .big | tojson | fromjson | length }}", 60_000),
    ],
)
def test_what_looks_hard_is_done_soon(template: str, value: object) -> None:
    assert render_text(template, SCOPE) == value


def test_the_largest_event_can_be_handed_on_whole() -> None:
    for name in ("ones", "numbers", "texts", "maps", "text", "objects"):
        if name not in {"text", "objects"}:  # a text alone has at most 64 Ki characters
            assert render_text(f"{{{{ .{name} }}}}", SCOPE) == SCOPE[name]
        assert render_text(f"{{{{ {{'a': .{name}}} }}}}", SCOPE) == {"a": SCOPE[name]}


def test_a_meter_counts_every_character_and_element() -> None:
    meter = Meter(100_000)
    meter.read("a" * 10_000)
    assert meter.room == 90_000

    meter.read([["a" * 10_000] * 2])
    assert 60_000 < meter.room < 70_000

    with pytest.raises(ValueError, match="too much work"):
        meter.read([["a" * 10_000] * 20])


@pytest.mark.timeout(60)
def test_a_meter_does_not_walk_what_it_has_no_room_for() -> None:
    value: Any = "x"
    for _ in range(60):
        value = [value] * 1_000  # 10 ** 180 elements
    for call in (Meter().read, as_json_text, plain_copy):
        with pytest.raises(ValueError, match="too much work"):
            call(value)


def test_nothing_is_paid_back_to_a_meter() -> None:
    """A filter that gets its costs wrong is refused, rather than gives away the shared budget."""
    shared = Meter(1000)
    with pytest.raises(ValueError, match="negative"):
        Meter(shared=shared).spend(-1)
    assert shared.room == 1000


def test_several_renderings_may_share_a_meter() -> None:
    meter = Meter()
    plain_copy(["x" * 2_400_000], meter)
    assert 0 < meter.room <= MAX_WORK - 600_000
    with pytest.raises(ValueError, match="too much work"):
        plain_copy(["x" * 2_400_000], meter)


def test_what_one_template_spends_is_spent_of_what_several_share() -> None:
    shared = Meter(1000)
    Meter(shared=shared).spend(600)
    assert shared.room == 400
    with pytest.raises(ValueError, match="more than 1,000 characters"):
        Meter(shared=shared).spend(600)


def test_the_templates_of_one_value_share_a_budget() -> None:
    """However many there are, they take no longer than two that use all they may."""
    heavy = "{{ .texts | map('upper') | list | length }}"
    texts = {"texts": ["x"] * 4_000}
    assert render([heavy], texts) == [4_000]
    with pytest.raises(TemplateError, match="too much work"):
        render([heavy] * 10, texts)
    with pytest.raises(TemplateError, match="too much work"):
        render([f"{number} {{{{ .a }}}}" for number in range(400)], {"a": 1})


def test_the_same_template_is_refused_each_time() -> None:
    template = "{{ .texts | map('upper') | length }}"
    assert refusal(template) == refusal(template)
