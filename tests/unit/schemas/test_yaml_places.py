"""A fault put into a workflow file is told at the line and the column where it was put."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchet_schemas import Problem, SourceFile, load_definitions

BLOCKS = """\
# Gr\u00f6\u00dfe \U0001f600
name: "B\u00fcro \U0001f600 order"   # comment
description: >-
  What the
  workflow is for
on:
  - order.paid
  - 'user:*'
vars:
  channel: "#orders"
defaults:
  queue: internal
  retry: {attempts: 3, backoff: 5s}
jobs:
  ship:
    timeout: 10m
    steps:
      - name: 'Reserve ''all'' \U0001f600'
        id: reserve
        actionId: stock:reserve
        timeout: "15s"
        with:
          order: "{{ .order.id }}"
          folded: >
            some text
            with {{ .order.name }}

              and more
          literal: |2+
              first \U0001f600
               {{ .user.email }}

          plain: Order {{ .order.id }} for
            {{ .user.name }} leaves
          single: 'It''s {{ .a }}

            and {{ .b }}'
          escaped: "\\U0001F600\\t\\"{{ .c }}\\"\\u0020\\
            {{ .d }}"
          list: [1, "{{ .x }}", {deep: '{{ .y }}'}]
"""

FLOW = """\
%YAML 1.2
---
{name: W, on: {events: [a, "b.*"],\tcron: {schedule: '@daily', timezone: UTC}},
 jobs: {"j": {queue: &q q, timeout: 1h,\t# \U0001f600
   steps: [
     {id: s, action: a:b, timeout: &t 1s, retry: {factor: 2, max-backoff: 2h},
      with: {\U0001f600: &x "\U0001f600 {{ .a }}", 'y': [*x, '{{ .b }}']}},
     {name: "\U0001f600", id: t, actionId: a:b, timeout: *t}]}}}
...
"""

ANCHORS = """\
name: W
on: &on
- a
-   b
vars:
    common: &common
        text: &text !!str
          "{{ .a }}"
        more: &more
          # why
          >-
          {{ .b }}
          {{ .c }}
jobs:
  j:
    defaults: &defaults
      timeout: 5s
    steps:
    - id: s
      action: "a:b"
      with: *common
    - id: t
      action: a:b
      with:
        again: [*text, *more]
"""

MARK = "\ue000"
"""Stands where the problem is expected, and is taken out before the file is read."""


def problems_of(text: str) -> tuple[Problem, ...]:
    definitions, problems = load_definitions([SourceFile("a.yaml", text.encode())])
    assert bool(definitions) != any(problem.severity == "error" for problem in problems)
    return problems


def assert_told(marked: str, rule: str) -> None:
    """Assert that the file has a problem of kind ``rule`` where `MARK` stands."""
    before, _, behind = marked.partition(MARK)
    lines = re.split("\r\n|\r|\n", before.removeprefix("\ufeff"))
    place = (len(lines), len(lines[-1]) + 1)
    problems = problems_of(before + behind)
    assert (*place, rule) in [(p.line, p.column, p.rule) for p in problems], (
        f"{place} {rule} is not among:\n"
        + "\n".join(problem.with_caret() for problem in problems)
        + f"\n{before}<-- HERE{behind}"
    )
    for problem in problems:
        if (problem.line, problem.column) == place and problem.column <= len(problem.excerpt):
            assert (lines[-1] + behind).startswith(problem.excerpt[: problem.column])


def put(text: str, span: tuple[int, int], replacement: str) -> str:
    return text[: span[0]] + replacement + text[span[1] :]


Place = tuple[str, tuple[int, int]]
"""A file and a part of it."""


def places(pattern: str, *files: str) -> st.SearchStrategy[Place]:
    """Return the places of the first group of ``pattern``, each with its file."""
    found = [
        (file, match.span(1))
        for file in files
        for match in re.finditer(pattern, file, re.MULTILINE)
    ]
    assert found
    return st.sampled_from(found)


Surroundings = Callable[[str], str]


@st.composite
def surroundings(draw: st.DrawFn) -> Surroundings:
    """Return a change of a whole file that leaves its meaning: line ends, a mark, comments."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    start = draw(
        st.sampled_from(["", "\ufeff", "\ufeff# \u65e5\u672c\n", "\n\n", "# \U0001f600\n  \n"])
    )
    tail = draw(st.sampled_from(["", "# \u65e5", "\n\n  # x\n"]))
    return lambda text: (start + text + tail).replace("\n", end)


PLACES = settings(max_examples=60, deadline=None)
FILES = (BLOCKS, FLOW, ANCHORS)
FIELD = (
    r"(?:^[ -]*|[{\[,\t] ?)(name|on|jobs|vars|defaults|description|events|cron|queue|retry|steps"
    r"|schedule|timezone|attempts|factor|max-backoff|id|action|actionId|timeout|with):"
)
SCALAR = (
    r"(?:name|id|action|actionId|timeout|schedule|timezone|queue|attempts|factor|backoff): "
    r"(?:&\w+ )?(\"[^\"]*\"|'(?:''|[^'])*'|\*?[\w:]+)"
)
LETTERS = st.sampled_from(["x", "\u00e4", "\U0001f600"])


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_files_themselves_have_no_problem(file: str, end: str) -> None:
    assert problems_of(file.replace("\n", end)) == ()


@given(places(FIELD, *FILES), LETTERS, surroundings())
@PLACES
def test_a_misspelt_field(place: Place, letter: str, surrounded: Surroundings) -> None:
    file, (start, end) = place
    misspelt = MARK + file[start:end] + letter
    assert_told(surrounded(put(file, (start, end), misspelt)), "unknown-field")


@given(places(r"^ *(\w+:) ", BLOCKS, ANCHORS), st.sampled_from(["'", '"', ""]), surroundings())
@PLACES
def test_a_field_given_twice(place: Place, quote: str, surrounded: Surroundings) -> None:
    file, (start, end) = place
    indent = " " * (start - file.rfind("\n", 0, start) - 1)
    name = file[start : end - 1]
    twice = f"{name}: 1\n{indent}{MARK}{quote}{name}{quote}:"
    assert_told(surrounded(put(file, (start, end), twice)), "duplicate-key")


@given(places(SCALAR, *FILES), st.sampled_from(["[]", "{x: 1}", "[{}, [x]]"]), surroundings())
@PLACES
def test_a_value_of_the_wrong_kind(place: Place, value: str, surrounded: Surroundings) -> None:
    file, (start, end) = place
    anchor = re.search(r"&\w+ \Z", file[:start])
    if anchor is not None:
        start = anchor.start()
        value = anchor[0] + value
    assert_told(surrounded(put(file, (start, end), MARK + value)), "wrong-type")


@given(
    places(r"(?:^ *- +|[,\[] ?)(order\.paid|'user:\*'|a|b|\"b\.\*\")$", BLOCKS, ANCHORS),
    surroundings(),
)
@PLACES
def test_an_item_of_the_wrong_kind(place: Place, surrounded: Surroundings) -> None:
    file, span = place
    assert_told(surrounded(put(file, span, f"{MARK}5")), "wrong-type")


@given(places(r"((?<=\{\{ )|(?= \}\}))", *FILES), surroundings())
@PLACES
def test_a_character_without_a_meaning_in_a_template(
    place: Place, surrounded: Surroundings
) -> None:
    file, span = place
    assert_told(surrounded(put(file, span, f"{MARK}\u00a7")), "template")


@given(places(r"((?<= \}\}))", *FILES), LETTERS, surroundings())
@PLACES
def test_a_second_template_in_a_text(place: Place, letter: str, surrounded: Surroundings) -> None:
    file, span = place
    second = f" {letter} {{{{ .z {MARK}\u00a7 }}}}"
    assert_told(surrounded(put(file, span, second)), "template")


@pytest.mark.parametrize("quote", ["'", '"'])
@given(st.sampled_from([BLOCKS, ANCHORS]), LETTERS, surroundings())
@PLACES
def test_a_quote_that_is_never_closed(
    quote: str, file: str, letter: str, surrounded: Surroundings
) -> None:
    unclosed = f"{file}more: [1, {letter}, {MARK}{quote}abc\n  def\n"
    assert_told(surrounded(unclosed), "yaml-syntax")


@given(places(r"^( +)(?:- )?(?:id|action|actionId|timeout|with):", BLOCKS, ANCHORS), surroundings())
@PLACES
def test_a_tab_for_indentation(place: Place, surrounded: Surroundings) -> None:
    file, span = place
    assert_told(surrounded(put(file, span, f"{MARK}\t")), "yaml-syntax")


@given(places(r"(\Z)", BLOCKS, ANCHORS), surroundings())
@PLACES
def test_a_second_document(place: Place, surrounded: Surroundings) -> None:
    file, span = place
    assert_told(surrounded(put(file, span, f"{MARK}---\nname: W\n")), "yaml-syntax")
