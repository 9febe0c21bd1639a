"""Templates and what they are worth, as a table to read; the scope stands at the top."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from hatchet_schemas import Event, Job, JobInput, TemplateError
from hatchet_schemas.scope import StepResult, job_scope, with_step
from hatchet_schemas.template_filters import ALL_FILTERS
from hatchet_schemas.templates import render_text

DATA: Final[dict[str, Any]] = {
    "user": {"name": "Ada", "e-mail": "ada@example.org", "tags": ["b", "a"], "address": None},
    "order-no": 17,
    "total": 12.5,
    "paid": True,
    "note": "",
    "text": "the quick brown fox",
    "html": "<p>a &amp; <b>b</b></p><!-- c -->",
    "json": '{"a": [1, 2.5, null, true, "\\u00e9"]}',
    "items": [
        {"sku": "x", "n": 2, "kind": "toy"},
        {"sku": "y", "n": 1, "kind": "Book"},
        {"sku": "z", "n": 3, "kind": "toy"},
    ],
    "grid": [[1, 2], [3, 4]],
    "city": "Z\u00fcrich",
    "smile": "\U0001f600",
    "steps": "mine",
    "secrets": {"token": "mine too"},
    "event": 1,
    "hostile": "{{ .user.name }}{% if 1 %}${{ x }}{# #}",
    "formats": "%s %d {0} {0.__class__} %(user)s",
    "lines": "one\ntwo\n\nthree",
    "__class__": "a field",
}


def scope() -> dict[str, Any]:
    event = Event(
        id="e-1",
        key="order.paid",
        time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        source="shop",
        data=DATA,
    )
    step = {"id": "first-step", "name": "S", "actionId": "a:b", "timeout": "1s"}
    job_input = JobInput(
        workflow="Ship",
        job="pack",
        event=event,
        vars={"limit": 10},
        definition=Job.model_validate({"steps": [step]}),
    )
    outputs = {"box-id": 7, "outputs-of": ["x"]}
    return with_step(job_scope(job_input), "first-step", StepResult("success", "success", outputs))


SCOPE: Final = scope()

TABLE: Final[list[tuple[str, object]]] = [
    # one expression keeps its type
    ("{{ .user.name }}", "Ada"),
    ("{{ .order-no }}", 17),
    ("{{ .total }}", 12.5),
    ("{{ .paid }}", True),
    ("{{ .user.address }}", None),
    ("{{ .user.tags }}", ["b", "a"]),
    ("{{ .grid }}", [[1, 2], [3, 4]]),
    ("{{ [.paid, .order-no, {'a': .total}] }}", [True, 17, {"a": 12.5}]),
    # text around makes a text
    ("no. {{ .order-no }}", "no. 17"),
    ("{{ .paid }}/{{ .user.address }}/{{ .total }}", "true/null/12.5"),
    ("{{ .user.tags }}!", '["b", "a"]!'),
    (" {{ .order-no }}", " 17"),
    # paths
    ("{{ .items.0.sku }}", "x"),
    ("{{ .items[-1].sku }}", "z"),
    ("{{ .grid[1][0] }}", 3),
    ("{{ .user.e-mail }}", "ada@example.org"),
    ('{{ .user["e-mail"] }}', "ada@example.org"),
    ("{{ order-no }}", 17),
    ("{{ .order-no - 1 }}", 16),
    ("{{ .items[1:] | length }}", 2),
    ("{{ .text[4:9] }}", "quick"),
    ("{{ .text[::-1][:3] }}", "xof"),
    # names of ours, and fields of the same name
    ("{{ .steps.first-step.outputs.box-id }}", 7),
    ("{{ .steps.first-step.box-id }}", 7),
    ("{{ .steps.first-step.outcome }}", "success"),
    ("{{ .input.steps }}", "mine"),
    ("{{ .input.secrets.token }}", "mine too"),
    ("{{ .input.event }}", 1),
    ("{{ .event.key }}", "order.paid"),
    ("{{ .event.time }}", "2026-01-02T03:04:05+00:00"),
    ("{{ .workflow }}/{{ .job }}", "Ship/pack"),
    ("{{ .vars.limit }}", 10),
    # operators
    ("{{ .total * 2 }}", 25.0),
    ("{{ .order-no // 2 }}", 8),
    ("{{ .order-no % 5 == 2 }}", True),
    ("{{ 10 < .order-no <= 17 }}", True),
    ("{{ 10 < .order-no < 17 }}", False),
    ("{{ 'fox' in .text }}", True),
    ("{{ 'a' in .user.tags and 'c' not in .user.tags }}", True),
    ("{{ .user.name ~ '-' ~ .order-no }}", "Ada-17"),
    ("{{ .user.tags + ['c'] }}", ["b", "a", "c"]),
    ("{{ 'big' if .total > 10 else 'small' }}", "big"),
    ("{{ .note or 'none' }}", "none"),
    ("{% if .paid %}paid{% else %}open{% endif %}", "paid"),
    ("{{ .nick is defined or .user.address is none }}", True),
    ("{{ .text[:3] == 'the' }}", True),
    # fields that may be missing
    ("{{ .nick | default('friend') }}", "friend"),
    ("{{ .user.address.city | d('nowhere') }}", "nowhere"),
    ("{{ .nick.a.b | default(.order-no) }}", 17),
    ("{{ .note | default('empty', true) }}", "empty"),
    # filters of numbers
    ("{{ -.order-no | abs }}", 17),
    ("{{ 1500000 | filesizeformat }}", "1.5 MB"),
    ("{{ 1536 | filesizeformat(true) }}", "1.5 KiB"),
    ("{{ '12' | int }}", 12),
    ("{{ '12.5' | float }}", 12.5),
    ("{{ .total | round }}", 12.0),
    # filters of lists and maps
    ("{{ .user | attr('name') }}", "Ada"),
    ("{{ .user | attr('e-mail') }}", "ada@example.org"),
    ("{{ [1, 2, 3] | batch(2) }}", [[1, 2], [3]]),
    ("{{ [1, 2, 3] | batch(2, 0) }}", [[1, 2], [3, 0]]),
    ("{{ [1, 2, 3] | slice(2) }}", [[1, 2], [3]]),
    ("{{ [1, 2, 3] | slice(2, 0) }}", [[1, 2], [3, 0]]),
    ("{{ .items | count }}", 3),
    ("{{ {'b': 1, 'A': 2} | dictsort }}", [["A", 2], ["b", 1]]),
    ("{{ {'b': 1, 'a': 2} | dictsort(by='value', reverse=true) }}", [["a", 2], ["b", 1]]),
    ("{{ .user.tags | first ~ (.user.tags | last) }}", "ba"),
    ("{{ .items | groupby('kind') | map(attribute='grouper') }}", ["Book", "toy"]),
    ("{{ (.items | groupby('kind')).1.list | map(attribute='sku') }}", ["x", "z"]),
    ("{{ [{'a': 1}, {}] | groupby('a', default=0) | first }}", {"grouper": 0, "list": [{}]}),
    ("{{ {'a': 1} | items }}", [["a", 1]]),
    ("{{ .grid | join(' ') }}", "[1, 2] [3, 4]"),
    ("{{ 'abc' | list }}", ["a", "b", "c"]),
    ("{{ {'a': 1} | list }}", ["a"]),
    ("{{ .user.tags | map('upper') }}", ["B", "A"]),
    ("{{ .items | map(attribute='sku') | join }}", "xyz"),
    ("{{ [{}, {'a': 1}] | map(attribute='a', default=0) }}", [0, 1]),
    ("{{ .items | max(attribute='n') | attr('sku') }}", "z"),
    ("{{ ['b', 'A'] | min }}", "A"),
    ("{{ [0, 1, ''] | reject }}", [0, ""]),
    ("{{ .items | rejectattr('kind', 'eq', 'toy') | map(attribute='sku') }}", ["y"]),
    ("{{ .user.tags | reverse }}", ["a", "b"]),
    ("{{ [1, 2, 3] | select('odd') }}", [1, 3]),
    ("{{ .items | selectattr('n', '>=', 2) | map(attribute='sku') }}", ["x", "z"]),
    ("{{ .items | sort(attribute='kind,n') | map(attribute='n') }}", [1, 2, 3]),
    ("{{ ['b', 'A', 'a'] | sort(reverse=true) }}", ["b", "A", "a"]),
    ("{{ .items | sum(attribute='n') }}", 6),
    ("{{ ['a', 'A', 'b'] | unique }}", ["a", "b"]),
    ("{{ .text | length }}", 19),
    # filters of texts
    ("{{ 'aB' | capitalize }}", "Ab"),
    ("{{ 'ab' | center(6) }}", "  ab  "),
    ("{{ '%s has %d of %05.1f%%' | format(.user.name, 3, 9.25) }}", "Ada has 3 of 009.2%"),
    ("{{ '%(n)s: %(t)s' | format(n=.paid, t=.user.tags) }}", 'true: ["b", "a"]'),
    ("{{ '%r' | format('a') }}", '"a"'),
    ("{{ .lines | indent(2) }}", "one\n  two\n\n  three"),
    ("{{ .lines | indent('> ', true, true) }}", "> one\n> two\n> \n> three"),
    ("{{ .user.name | lower ~ (.user.name | upper) }}", "adaADA"),
    ("{{ .text | replace('quick', 'slow') }}", "the slow brown fox"),
    ("{{ .html | safe }}", DATA["html"]),
    ("{{ .order-no | string }}", "17"),
    ("{{ .city ~ ' caf\u00e9 \u2013 No 1!' | slugify }}", "Z\u00fcrichcafe-no-1"),
    ("{{ (.city ~ ' Stra\u00dfe') | slugify }}", "zurich-strasse"),
    ("{{ .text | title }}", "The Quick Brown Fox"),
    ("{{ '--a--' | trim('-') }}", "a"),
    ("{{ .text | truncate(13) }}", "the quick..."),
    ("{{ .text | wordcount }}", 4),
    ("{{ .text | wordwrap(10) }}", "the quick\nbrown fox"),
    ("{{ [true, none] | upper }}", "[TRUE, NULL]"),
    # filters that encode and decode
    ("{{ .city | b64encode }}", "WsO8cmljaA=="),
    ("{{ 'WsO8\ncmljaA==' | b64decode }}", "Z\u00fcrich"),
    ("{{ '<a href=\"x\">' | e }}", "&lt;a href=&#34;x&#34;&gt;"),
    ("{{ '&' | escape | forceescape }}", "&amp;amp;"),
    ("{{ .json | fromjson }}", {"a": [1, 2.5, None, True, "\u00e9"]}),
    ("{{ (.json | fromjson).a.4 }}", "\u00e9"),
    ("{{ {'a': [1]} | pprint }}", '{\n  "a": [\n    1\n  ]\n}'),
    ("{{ .user.name | sha256 | truncate(8, true, '') }}", "99a563ab"),
    ("{{ .html | striptags }}", "a & b"),
    ("{{ .user.tags | tojson }}", '["b", "a"]'),
    ("{{ [1] | tojson(indent=1) }}", "[\n 1\n]"),
    ("{{ 'a b/\u00fc' | urlencode }}", "a%20b/%C3%BC"),
    ("{{ {'q': 'a b', 'ok': true} | urlencode }}", "q=a+b&ok=true"),
    (
        "{{ 'see www.example.org.' | urlize }}",
        'see <a href="https://www.example.org" rel="noopener">www.example.org</a>.',
    ),
    ("{{ {'id': 1, 'on': none, 'v': '\"'} | xmlattr }}", ' id="1" v="&#34;"'),
    # unicode and escapes
    ("{{ .city | upper }}", "Z\u00dcRICH"),
    ("{{ .smile ~ (.smile | length) }}", "\U0001f6001"),
    ("{{ .smile | tojson }}", '"\U0001f600"'),
    ("{{ '\\u00e9\\n\\'' }}", "\u00e9\n'"),
    ("{{ '{{' }} {{ '}}' }}", "{{ }}"),
    ("{% raw %}{{ .user.name }}{% endraw %}", "{{ .user.name }}"),
    # data is data
    ("{{ .hostile }}", DATA["hostile"]),
    ("<{{ .hostile | upper | lower }}>", f"<{DATA['hostile'].upper().lower()}>"),
    ("{{ .formats }}", DATA["formats"]),
    ("{{ '%s' | format(.formats) }}", DATA["formats"]),
    ("{{ .input.__class__ }}", "a field"),
    ("{{ .input | attr('__class__') }}", "a field"),
    ("{{ .json | b64encode | b64decode | fromjson | tojson | length }}", 32),
    # as in Go
    ("{{.user.name}}", "Ada"),
    ("{{- .user.name -}}", "Ada"),
    ("{{ not .paid }}", False),
]

REFUSED: Final[list[tuple[str, str]]] = [
    # missing fields are named, with those that there are
    ("{{ .nick }}", "no field 'nick'; there are: __class__, city, event, formats, "),
    ("{{ .user.nick }}", "no field 'nick'; there are: address, e-mail, name, tags"),
    ("{{ .user.address.city }}", "no field 'city': there is null"),
    ("{{ .items[9] }}", "no field 9: there is a list"),
    ("{{ .steps.second }}", "no field 'second'; there are: first-step"),
    ("{{ .items | map(attribute='price') }}", "no field 'price'; there are: kind, n, sku"),
    ("{{ [] | max }}", "the sequence was empty"),
    ("{{ 'a' if .note }}", "write else"),
    ("x{{ 'a' if .note }}", "write else"),
    # nothing of Python's shows through
    ("{{ .user.__class__ }}", "no field '__class__'; there are: address"),
    ("{{ .user.name.__class__.__mro__ }}", "no field '__class__': there is a text"),
    ("{{ .user | attr('__class__') }}", "no field '__class__'"),
    ("{{ .user.name | attr('upper') }}", "no field 'upper': there is a text"),
    ("{{ .user.tags | map('attr', '__len__') }}", "no field '__len__': there is a text"),
    ("{{ [.user] | map(attribute='__class__.__mro__') }}", "no field '__class__'"),
    ("{{ .user.name.format(1) }}", "templates have no calls"),
    ("{{ '{0.__class__}' | format(1) }}", "more values than the text has room for"),
    ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "templates have no calls"),
    ("{{ 1 | compare__('eq', 1) }}", "unknown filter 'compare__'"),
    ("{{ [1] | map('compare__', 'eq', 1) }}", "unknown filter 'compare__'"),
    ("{{ [1] | map('compare' + '__', 'eq', 1) }}", "map and select need the name"),
    ("{{ [1] | map(.user.name) }}", "map and select need the name"),
    # filters and what they do not take
    ("{{ .text | random }}", "unknown filter 'random'"),
    ("{{ .text | batch(0) }}", "a whole number from 1 on"),
    ("{{ .text | slice(0) }}", "a whole number from 1 on"),
    ("{{ .text | center(99999999) }}", "too much work"),
    ("{{ .text | indent(99999999) }}", "too much work"),
    ("{{ .text | wordwrap(0) }}", "invalid width 0"),
    ("{{ '%99999d' | format(1) }}", "at most 1000 characters wide"),
    ("{{ '%.99999f' | format(1) }}", "at most 1000 characters wide"),
    ("{{ '%*d' | format(9, 1) }}", "no such directive"),
    ("{{ '%q' | format(1) }}", "no such directive as the one at character 0"),
    ("{{ '%d' | format('a') }}", "needs a number for %d"),
    ("{{ '%s %s' | format(1) }}", "fewer values than the text has room for"),
    ("{{ '%(a)s' | format(b=1) }}", "fewer values than the text has room for"),
    ("{{ .text | filesizeformat }}", "needs a number of bytes, not a text"),
    ("{{ 1 | fromjson }}", "fromjson needs a text, not a number"),
    ("{{ '[1,' | fromjson }}", "fromjson: no JSON: Expecting value at character 3"),
    ("{{ '[NaN]' | fromjson }}", "NaN is no JSON"),
    ("{{ '[-Infinity]' | fromjson }}", "-Infinity is no JSON"),
    ("{{ '1e999' | fromjson }}", "no finite number"),
    ("{{ '9223372036854775808' | fromjson }}", "does not fit 64 bits"),
    ('{{ \'{"a": 1, "a": 1}\' | fromjson }}', "an object has a key twice"),
    ("{{ '\"\\\\ud800\"' | fromjson }}", "half of a surrogate pair"),
    ("{{ 'a' | b64decode }}", "b64decode: no base64"),
    ("{{ '\u00e9' | b64decode }}", "b64decode: no base64"),
    ("{{ '/w==' | b64decode }}", "no text in UTF-8"),
    ("{{ {'a b': 1} | xmlattr }}", "a key is no name for an attribute"),
    ("{{ [1] | tojson(indent=9) }}", "by 0 to 8 spaces"),
    ("{{ .total | length }}", "has no len()"),
    ("{{ .total | first }}", "a list is needed, not a number"),
    # from elsewhere
    ("{{ if .paid }}a{{ end }}", "write {% if … %}"),
    ('{{ .note | default "y" }}', "in parentheses"),
    ("${{ contains(github.event.text, 'fox') }}", "write 'part' in .text"),
    ("{{ .paid && .total }}", "write `and` for &&"),
]


@pytest.mark.parametrize(("template", "expected"), TABLE)
def test_a_template_is_worth(template: str, expected: object) -> None:
    # As JSON texts, so that 1 is neither true nor 1.0.
    assert json.dumps(render_text(template, SCOPE)) == json.dumps(expected)


@pytest.mark.parametrize(("template", "reason"), REFUSED)
def test_a_template_is_refused(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render_text(template, SCOPE)
    assert reason in caught.value.reason


def test_every_filter_is_in_the_table() -> None:
    used = " ".join(template for template, _ in TABLE)
    unused = {name for name in ALL_FILTERS if f"| {name}" not in used and f"'{name}'" not in used}
    assert unused == set()
