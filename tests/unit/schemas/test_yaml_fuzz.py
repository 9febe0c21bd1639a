"""Whatever bytes stand in a workflow file, they are a workflow or problems, told soon.

``HATCHET_FUZZ_EXAMPLES=100000 pytest tests/unit/schemas/test_yaml_fuzz.py --timeout 0`` looks
longer than the suite does.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatchet_schemas import Problem, SourceFile, load_definitions

FUZZ = settings(
    max_examples=int(os.environ.get("HATCHET_FUZZ_EXAMPLES", "250")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

PLAIN = """\
name: "Order paid"   # \u65e5\u672c
on:
  - order.paid
  - 'user:*'
vars: {channel: "#orders", limits: [1, 2.5, null, true]}
defaults:
  retry: {attempts: 3, backoff: 250ms, max-backoff: 1m}
jobs:
  ship:
    queue: internal
    timeout: 1m30s
    steps:
      - name: Reserve
        id: reserve
        actionId: stock:reserve
        timeout: 15s
        with: &with
          order: "{{ .order.id }} \\u00e4 {{ .vars.channel | upper }}"
          text: |
            Dear {{ .user.name | default("friend") }},
              {% if .a %}{{ .b[0] ~ 'x' }}{% endif %}
          folded: >-
            {{ .steps.reserve.outputs.id }}

            \U0001f600
      - {id: again, action: a:b, timeout: 1h, with: *with}
"""
FLOW = """\
%YAML 1.2
--- # \U0001f600
{"name": W, on: {events: [a, "b.*"],\tcron: {schedule: '*/5 * * * *', timezone: UTC}},
 jobs: {j: {defaults: {timeout: &t 1s}, steps: [
   {id: s, action: a:b, with: {x: &x !!str "\\U0001F600 {{ .a }}", ? y : [*x, '{{ .b ''c }}']}},
   {id: t, action: a:b, timeout: *t, retry: {factor: 2}}]}}}
...
"""
FILES = (PLAIN, FLOW)
TOKENS = [re.findall(r"\w+|\n *|\s|.", file) for file in FILES]
VOCABULARY = sorted(
    {*"\0\t\r\n\x0b\x85\xa0\u2028\ufeff\ufffe:-?[]{},&*!|>'\"%@`#~ ", "\U0001f600", "\ue000"}
    | {"{{", "}}", "{%", "%}", "- ", ": ", "? ", "<<: ", "&a ", "*a", "--- ", "...\n", "\r\n"}
    | {"!!str ", "!!int ", "!<x> ", "!%ed%a0%80 ", "%TAG ! x\n", "%YAML 1.1\n", "|2-\n", ">+9 #\n"}
    | {"'''", '"\\x"', '"\\ud800"', "\\", "0x1f", "1e999", "9" * 30, ".inf", "null", "[[[[", "}}}}"}
    | {token for tokens in TOKENS for token in tokens}
)

LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def assert_read_or_told(content: bytes) -> tuple[Problem, ...]:
    """Return the problems of ``content``, each of which stands inside it."""
    definitions, problems = load_definitions([SourceFile("a.yaml", content)])
    assert bool(definitions) != any(problem.severity == "error" for problem in problems)
    lines = LINE_END.split(content[:300_000].decode("utf-8-sig", "replace"))
    for problem in problems:
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert problem.message
        assert problem.rule
        assert len(str(problem)) < 1_000
        assert not LINE_END.search(str(problem))
        assert len(problem.with_caret().split("\n")) <= 3
    return problems


def spliced(parts: list[Any], splices: list[tuple[int, int, list[Any]]]) -> list[Any]:
    """Return ``parts`` with some of them taken out, and others put in there."""
    for start, length, added in splices:
        at = start % (len(parts) + 1)
        parts = [*parts[:at], *added, *parts[at + length :]]
    return parts


def splices(added: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[int, int, list[Any]]]]:
    at = st.integers(0, 2_000)
    return st.lists(
        st.tuples(at, st.sampled_from([0, 0, 1, 1, 2, 5, 40]), st.lists(added, max_size=3)),
        min_size=1,
        max_size=4,
    )


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text(max_size=100).map(lambda text: text.encode("utf-16", "surrogatepass"))
)
@FUZZ
def test_any_bytes(content: bytes) -> None:
    assert_read_or_told(content)


@given(st.sampled_from(FILES), splices(st.integers(0, 255)))
@FUZZ
def test_a_file_with_changed_bytes(file: str, changes: list[tuple[int, int, list[int]]]) -> None:
    assert_read_or_told(bytes(spliced(list(file.encode()), changes)))


@given(
    st.sampled_from(TOKENS),
    splices(st.sampled_from(VOCABULARY)),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@FUZZ
def test_a_file_with_changed_tokens(
    tokens: list[str], changes: list[tuple[int, int, list[str]]], end: str
) -> None:
    assert_read_or_told("".join(spliced(tokens, changes)).replace("\n", end).encode())


@given(st.lists(st.sampled_from(VOCABULARY), max_size=40))
@FUZZ
def test_tokens_in_any_order(tokens: list[str]) -> None:
    assert_read_or_told("".join(tokens).encode())


NAMES = st.sampled_from(
    "name description on vars defaults jobs events cron schedule timezone queue timeout steps id"
    " action actionId retry attempts backoff factor max-backoff with needs [key] 0 j".split()
)
SCALARS = st.sampled_from(
    "W a:b 1s 5 -1 2.5 true ~ '' 'a\tb' \"{{.a}}\" '{{' '{{x()}}' @daily '*/5\t*\t*\t*\t*' UTC"
    " order.* 'a..b' !!str &b *b *c <<".split(" ")
) | st.text(max_size=8).map(lambda text: f'"{text.encode("unicode_escape").decode()}"')


@st.composite
def values(draw: st.DrawFn, depth: int = 3) -> str:
    """Return a value, written in any of YAML's styles."""
    style = draw(st.sampled_from(["scalar", "[]", "{}", "-", ":"])) if depth else "scalar"
    if style == "scalar":
        return draw(SCALARS)
    anchor = draw(st.sampled_from(["", "", "", "&b ", "&c "]))
    items = [draw(values(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if style in {"{}", ":"}:
        items = [f"{draw(NAMES)}: {item}" for item in items]
    if style in {"[]", "{}"}:
        return f"{anchor}{style[0]}{', '.join(items)}{style[1]}"
    sign = "- " if style == "-" else ""
    return anchor + "".join(f"\n{sign}{item}".replace("\n", "\n  ") for item in items)


def fields(*names: str) -> st.SearchStrategy[str]:
    """Return some fields of those names, in a block, with any values."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values())).map(
        lambda drawn: "".join(f"\n{name}: {value}" for name, value in drawn.items())
    )


STEPS = fields("name", "id", "actionId", "action", "timeout", "retry", "with", "if")
JOBS = st.tuples(fields("queue", "timeout", "defaults", "needs"), st.lists(STEPS, max_size=2)).map(
    lambda job: (
        "\njobs:\n  j:"
        + job[0].replace("\n", "\n    ")
        + "\n    steps:"
        + "".join("\n    -" + step.replace("\n", "\n      ") for step in job[1])
    )
)


@given(fields("name", "description", "on", "vars", "defaults"), JOBS | st.just("jobs: {}"))
@FUZZ
def test_a_file_of_known_fields_with_any_values(top: str, jobs: str) -> None:
    assert_read_or_told((top + jobs).encode())


LEVELS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)
STEP = "{name: S, id: s, actionId: a:b, timeout: 1s}"
GOOD = f"name: W\non: k\njobs: {{j: {{steps: [{STEP}]}}}}\n"


@pytest.mark.parametrize(
    ("content", "line", "column", "rule"),
    [
        pytest.param(LEVELS, 5, 14, "too-large", id="billion laughs"),
        pytest.param(
            f"a: &a {'x' * 100_000}\nb: [{'*a,' * 9_000}]", 2, 17, "too-large", id="quadratic"
        ),
        pytest.param("x" * (10 * 1024 * 1024), 1, 1, "too-large", id="10 MiB"),
        pytest.param(GOOD + "# \n" * 4_000_000, 1, 1, "too-large", id="12 MB of comments"),
        pytest.param("[" * 100_000, 1, 33, "too-large", id="deep lists"),
        pytest.param("{a: " * 60_000, 1, 129, "too-large", id="deep maps"),
        pytest.param("- " * 100_000, 1, 65, "too-large", id="deep block lists"),
        pytest.param("? " * 100_000, 1, 3, "yaml-syntax", id="deep block keys"),
        pytest.param(
            "".join(f"{' ' * depth}a:\n" for depth in range(700)), 33, 33, "too-large", id="stairs"
        ),
        pytest.param("a: &a [*a]", 1, 8, "yaml-syntax", id="a cycle"),
        pytest.param("a: &a {b: &b [*a]}\nc: *b", 1, 15, "yaml-syntax", id="a longer cycle"),
        pytest.param(f"{'k' * 1_000}: 1", 1, 1, "unknown-field", id="a long key"),
        pytest.param(f"? {'k' * 250_000}\n: 1", 1, 3, "unknown-field", id="a huge key"),
        pytest.param(
            f"{'k' * 2_000}: 1", 1, 2_001, "yaml-syntax", id="a key too long for its colon"
        ),
        pytest.param(f"name: {'x' * 250_000}", 1, 7, "invalid-name", id="a huge text"),
        pytest.param(f"name: {'1' * 250_000}", 1, 7, "invalid-value", id="a huge number"),
        pytest.param(f"name: .{'1' * 250_000}", 1, 7, "wrong-type", id="a huge fraction"),
        pytest.param("name: !!python/object/apply:os.system [x]", 1, 7, "yaml-syntax", id="python"),
        pytest.param("!!python/name:os.system {}", 1, 1, "yaml-syntax", id="a python name"),
        pytest.param("name: !!binary eA==", 1, 7, "yaml-syntax", id="binary"),
        pytest.param("on: !!set {a, b}", 1, 5, "yaml-syntax", id="a set"),
        pytest.param(f"{GOOD}---\n{GOOD}", 4, 1, "yaml-syntax", id="two documents"),
        pytest.param(f"{GOOD}...\n---\n{GOOD}", 5, 1, "yaml-syntax", id="two ended documents"),
        pytest.param(f"{GOOD}--- x", 4, 1, "yaml-syntax", id="a second document of one word"),
        pytest.param("a: &a {}\nb:\n  <<: *a", 3, 3, "yaml-syntax", id="a merge key"),
        pytest.param("%YAML 3.0\n---\na: 1", 1, 1, "yaml-syntax", id="YAML 3.0"),
        pytest.param("%YAML 1.2\n%YAML 1.2\n---\na: 1", 2, 1, "yaml-syntax", id="YAML twice"),
        pytest.param("%TAG !e! tag:x,2000:\n---\n!e!y a: 1", 3, 1, "yaml-syntax", id="a %TAG"),
        pytest.param("name: !e!y 1", 1, 7, "yaml-syntax", id="an unknown tag handle"),
        pytest.param("\0", 1, 1, "yaml-syntax", id="NUL"),
        pytest.param(f"{GOOD}\0", 4, 1, "yaml-syntax", id="NUL at the end"),
        pytest.param("a: b\0" * 50_000, 1, 5, "yaml-syntax", id="many NULs"),
        pytest.param(GOOD.encode("utf-16"), 1, 1, "yaml-syntax", id="UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), 1, 2, "yaml-syntax", id="UTF-16, no mark"),
        pytest.param(GOOD.encode("utf-16-be"), 1, 1, "yaml-syntax", id="UTF-16-BE, no mark"),
        pytest.param(GOOD.encode("utf-32"), 1, 1, "yaml-syntax", id="UTF-32"),
        pytest.param(GOOD.encode("utf-7") + b"\xff", 4, 1, "yaml-syntax", id="a byte behind"),
        pytest.param(b"name: \xed\xa0\x80", 1, 7, "yaml-syntax", id="half a surrogate pair"),
        pytest.param(b"name: \xc0\xaf", 1, 7, "yaml-syntax", id="overlong UTF-8"),
        pytest.param(b"name: \xf4\x90\x80\x80", 1, 7, "yaml-syntax", id="beyond Unicode"),
        pytest.param(f"{GOOD}\ufffe", 4, 1, "yaml-syntax", id="no character"),
        pytest.param("'" * 200_001, 1, 1, "yaml-syntax", id="quotes"),
        pytest.param('"\\' * 100_000, 1, 200_000, "yaml-syntax", id="backslashes"),
        pytest.param(f"name: &{'a' * 200_000} [", 1, 200_010, "yaml-syntax", id="a huge anchor"),
        pytest.param(f"name: *{'a' * 200_000}", 1, 7, "yaml-syntax", id="a huge alias"),
        pytest.param(f"name: !{'a' * 200_000} x", 1, 7, "yaml-syntax", id="a huge tag"),
        pytest.param("a: |9" + "\n" * 200_000, 1, 1, "unknown-field", id="an empty block"),
        pytest.param(
            "a: |\n" + " \n" * 9_000 + "x", 9_002, 2, "yaml-syntax", id="a block of spaces"
        ),
    ],
)
def test_a_hostile_file_is_told_soon(
    content: str | bytes, line: int, column: int, rule: str
) -> None:
    started = time.process_time()
    problems = assert_read_or_told(content if isinstance(content, bytes) else content.encode())
    assert (line, column, rule) in [(p.line, p.column, p.rule) for p in problems], problems[:5]
    assert time.process_time() - started < 1


@pytest.mark.parametrize("bad", [b"\xff", b"\x80", b"\xe6\x97", b"\xed\xbf\xbf", b"\xf8\x88\x80"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf_8_is_told_wherever_it_stands(bad: bytes, start: bytes) -> None:
    text = GOOD.replace("W", "\u00e4\U0001f600")
    for position in range(len(text) + 1):
        before = text[:position]
        (problem,) = assert_read_or_told(start + before.encode() + bad + text[position:].encode())
        assert (problem.line, problem.column) == (
            before.count("\n") + 1,
            len(before.rpartition("\n")[2]) + 1,
        )
        assert problem.message.startswith(f"byte 0x{bad[0]:02x} is not UTF-8")


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x9f", "\uffff"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_control_character_is_told_wherever_it_stands(character: str, start: str) -> None:
    text = GOOD.replace("W", "\u00e4\U0001f600")
    for position in range(len(text) + 1):
        before = text[:position]
        (problem,) = assert_read_or_told((start + before + character + text[position:]).encode())
        assert (problem.line, problem.column) == (
            before.count("\n") + 1,
            len(before.rpartition("\n")[2]) + 1,
        )
