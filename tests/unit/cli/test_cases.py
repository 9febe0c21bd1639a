"""Cases beside the workflow files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hatchet_cli.cases.reading import read_cases
from hatchet_cli.cases.running import CaseResult, run_case
from hatchet_cli.reports.cases import case_lines, cases_as_json
from hatchet_router.folder import TESTS_FOLDER, load_folder, read_paths
from hatchet_router.routing import RoutingTable
from hatchet_schemas import Definition, SourceFile, load_definitions

EXAMPLES = Path(__file__).parents[3] / "examples"
ORDERS = b"""
name: Orders
on:
  events:
    - {event: order.paid, if: .amount > 0}
defaults: {timeout: 5s}
jobs:
  book:
    steps:
      - id: book
        name: Book
        actionId: ledger:book
        retry: {attempts: 2}
        with: {amount: "{{ .amount }}", by: "{{ .vars.region }}", key: "{{ .secrets.KEY }}"}
      - id: tell
        name: Tell
        actionId: slack:send
        continue-on-error: true
        with: {text: "{{ .steps.book.number }} at {{ .event.time }}"}
      - {id: mend, name: Mend, if: failure(), actionId: "pager:alarm"}
  large:
    if: .amount > 1000
    steps:
      - {id: tell, name: Tell, actionId: "slack:send"}
"""


def orders() -> tuple[Definition, ...]:
    """Return the workflow above."""
    definitions, problems = load_definitions(
        [SourceFile("orders.yaml", ORDERS)], known_vars=["region"]
    )
    assert not problems
    return definitions


async def results(text: str) -> list[CaseResult]:
    """Return what comes of the cases in a file's text."""
    cases, problems = read_cases([SourceFile("cases.yaml", text.encode())], orders())
    assert [str(problem) for problem in problems] == []
    table = RoutingTable(orders())
    return [await run_case(case, table, {"region": "eu"}) for case in cases]


async def differences(expect: Any, **fields: Any) -> list[str]:
    """Return the differences of one case, whose event is a paid order."""
    event = {"key": "order.paid", "data": {"amount": 5}}
    case = {
        "name": "it",
        "event": event,
        "fakes": {"book": {"outputs": {"number": "n-1"}}},
        **fields,
        "expect": expect,
    }
    [result] = await results(json.dumps({"cases": [case]}))
    return list(result.differences)


async def test_a_case_that_goes_as_expected_has_no_differences() -> None:
    expect = {
        "Orders/book": {
            "steps": {
                "book": {"with": {"amount": 5, "by": "eu", "key": "***"}},
                "tell": {"with": {"text": "n-1 at 2000-01-01T00:00:00+00:00"}},
                "mend": "skipped",
            }
        },
        "Orders/large": "skipped",
    }

    assert await differences(expect) == []


async def test_what_differs_is_told() -> None:
    expect = {
        "Orders/book": {
            "outcome": "failure",
            "steps": {"book": {"with": {"amount": 6, "by": "eu", "key": "***"}}, "mend": "success"},
        },
        "Orders/large": {"steps": {"tell": "success"}},
    }

    assert await differences(expect) == [
        "Orders/book: expected failure, was success",
        "Orders/book, step book: its with differs, - expected, + was",
        "   {",
        '  -  "amount": 6,',
        '  +  "amount": 5,',
        '     "by": "eu",',
        '     "key": "***"',
        "Orders/book, step mend: expected success, was skipped",
        "Orders/large: expected success, was skipped",
        "Orders/large, step tell: the job has run no step",
    ]


async def test_jobs_that_start_and_those_that_do_not_are_told() -> None:
    started = await differences({"Orders/large": "skipped"})
    stayed = await differences(
        {"Orders/book": {}}, event={"key": "order.paid", "data": {"amount": 0}}
    )
    nothing = await differences({}, event={"key": "order.refunded"})

    assert started == ["Orders/book: started, and is not expected to"]
    assert stayed == ["Orders/book: expected to start, and did not"]
    assert nothing == []


async def test_an_event_that_cannot_be_handled_is_told() -> None:
    [told] = await differences({}, event={"key": "order.paid", "data": {}})

    assert told.startswith("the event goes to the dead letters: workflow 'Orders'")


@pytest.mark.parametrize(
    ("fake", "outcome", "error"),
    [
        ({"error": "busy"}, "failure", "busy (2 attempts)"),
        ([{"error": "busy"}, {"outputs": {"number": 1}}], "success", None),
        ({"error": "no", "final": True}, "failure", "FinalFakeError"),
    ],
)
async def test_actions_do_as_the_fakes_say(fake: Any, outcome: str, error: str | None) -> None:
    step = {"outcome": outcome, "error": error}
    expect = {
        "Orders/book": {"outcome": outcome, "steps": {"book": step}},
        "Orders/large": "skipped",
    }

    assert await differences(expect, fakes={"book/book": fake}) == []


async def test_an_error_of_other_words_is_told() -> None:
    expect = {
        "Orders/book": {"steps": {"tell": {"outcome": "failure", "error": "gone"}}},
        "Orders/large": "skipped",
    }
    fakes = {"book": {"outputs": {"number": 1}}, "tell": {"error": "busy", "final": True}}

    [told] = await differences(expect, fakes=fakes)

    assert told.startswith("Orders/book, step tell: expected an error with 'gone', was")


async def test_an_event_is_as_large_as_the_settings_let_it_be() -> None:
    """`HATCHET_MAX_BODY_BYTES` holds here as for routers, which count bytes of UTF-8."""
    text = (
        '{cases: [{name: it, event: {key: order.paid, data: {amount: 0, t: "'
        + "\u00e4" * 50
        + '"}},'
        " expect: {}}]}"
    )
    [case], _ = read_cases([SourceFile("cases.yaml", text.encode())], orders())
    size = len('{"amount":0,"t":""}') + 100

    fits = await run_case(case, RoutingTable(orders()), {}, max_body_bytes=size)
    too_large = await run_case(case, RoutingTable(orders()), {}, max_body_bytes=size - 1)

    assert fits.differences == ()
    assert too_large.differences[0].startswith("the event goes to the dead letters: ")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "key: order.paid",
            "key: order.*",
            "3:18: 'order.*' is a pattern; an event has one key, without * and # [invalid-value]",
        ),
        ("key: order.paid", "key: ''", "3:18: an event key cannot be empty [invalid-value]"),
        ("data:", "dta:", "3:30: event has no field 'dta': did you mean 'data'? [unknown-field]"),
        ("key: order.paid, ", "", "3:5: event needs the field 'key' [missing-field]"),
        ("data: {}", "data: 5", "3:36: expected a map, found the number 5 [wrong-type]"),
        (
            "outputs: {}",
            "outputs: {}, error: no",
            "4:19: expected either outputs or error [invalid-value]",
        ),
        (
            "Orders/book",
            "Orders/boo",
            "5:14: there is no job 'Orders/boo': did you mean 'Orders/book'? [unknown-name]",
        ),
        (
            "mend: skipped",
            "mnd: skipped",
            "5:36: job 'Orders/book' has no step 'mnd': did you mean 'mend'? [unknown-step]",
        ),
        (
            "{book: {out",
            "{boook: {out",
            "4:13: no job has a step 'boook': did you mean 'book'? [unknown-step]",
        ),
        ("cases:", "cases: [", "[yaml-syntax]"),
    ],
)
def test_problems_of_the_file_are_told_where_they_are(old: str, new: str, problem: str) -> None:
    text = (
        "cases:\n"
        "  - name: it\n"
        "    event: {key: order.paid, data: {}}\n"
        "    fakes: {book: {outputs: {}}}\n"
        "    expect: {Orders/book: {steps: {mend: skipped}}}\n"
    )
    assert old in text

    cases, problems = read_cases(
        [SourceFile("cases.yaml", text.replace(old, new, 1).encode())], orders()
    )

    [told] = map(str, problems)
    assert told.endswith(problem)
    assert len(cases) == (1 if "unknown-name" in told or "unknown-step" in told else 0)


async def test_a_result_is_printed_for_people_and_for_scripts() -> None:
    [result] = await results(
        "cases: [{name: Nothing, event: {key: a}, expect: {Orders/book: success}}]"
    )

    assert list(case_lines(result)) == [
        "✗ Nothing  cases.yaml:1",
        "    Orders/book: expected to start, and did not",
    ]
    assert json.loads(cases_as_json([result])) == [
        {
            "name": "Nothing",
            "path": "cases.yaml",
            "line": 1,
            "passed": False,
            "differences": ["Orders/book: expected to start, and did not"],
        }
    ]


@pytest.mark.parametrize("example", ["sign-up"])
async def test_the_cases_of_the_examples_pass(example: str) -> None:
    """And the folder with the cases holds no workflows."""
    folder = EXAMPLES / example / ".hatchet"
    definitions, problems = load_folder(folder)
    cases, amiss = read_cases(read_paths([folder / TESTS_FOLDER]).sources, definitions)

    ran = [await run_case(case, RoutingTable(definitions), {}) for case in cases]

    assert (problems, amiss) == ((), ())
    assert ran
    assert [line for result in ran for line in result.differences] == []


def test_the_line_of_a_problem_does_not_steer_the_terminal() -> None:
    """As those of workflow files."""
    text = "cases: []  # \u202e\n"

    _, [problem] = read_cases([SourceFile("cases.yaml", text.encode())], orders())

    assert problem.excerpt.isprintable()
