from __future__ import annotations

import json
from typing import Any

from hatchet_cli.reports.explanation import explanation_json, explanation_lines
from hatchet_router.explaining import Explanation, explain
from hatchet_schemas import Event, SourceFile, load_definitions

ORDER = """\
name: Order paid
on:
  - {event: "order:*", if: .amount > 100}
jobs:
  ship:
    queue: internal
    timeout: 10m
    if: .active
    steps:
      - name: Reserve it
        id: reserve
        action: stock:reserve
        timeout: 15s
        with: {order: "{{ .id }}"}
      - id: tell
        action: slack:send
        timeout: 15s
        with: {text: "From {{ .steps.reserve.shelf }}", token: "{{ .secrets.TOKEN }}"}
      - {id: sorry, action: "slack:send", timeout: 15s, if: failure()}
      - {id: last, action: "slack:send", timeout: 5s, mode: local, if: .steps.tell.ok}
"""
PAID = {"amount": 140, "active": True, "id": "o-1"}


def simple(name: str, *events: str) -> str:
    return (
        f"name: {name}\non: {json.dumps(events)}\n"
        'jobs: {j: {steps: [{id: s, action: "a:b", timeout: 1s}]}}\n'
    )


def explained(key: str, data: dict[str, Any], *texts: str) -> Explanation:
    sources = [
        SourceFile(f"{number}.yaml", text.encode()) for number, text in enumerate(texts, start=1)
    ]
    definitions, _ = load_definitions(sources)
    assert len(definitions) == len(texts)
    event = Event.model_validate(
        {"id": "e-1", "key": key, "time": "2026-01-02T03:04:05Z", "data": data}, strict=False
    )
    return explain(event, definitions)


def text_of(explanation: Explanation, *, everything: bool = False) -> str:
    return "\n".join(explanation_lines(explanation, everything=everything))


def test_what_matches_is_told_down_to_what_its_actions_get() -> None:
    told = text_of(explained("order:paid", PAID, ORDER, simple("Other", "user.create")))

    assert told == (
        """\
● Order paid  1.yaml
  on order:*, in RabbitMQ *
     if .amount > 100 is true: .amount is 140
  job ship, queue internal, timeout 10m
     id Order paid/ship/e-1
     if .active is true: .active is true
     1 reserve  stock:reserve  Reserve it
       order: "o-1"
     2 tell  slack:send
       text: "From {{ .steps.reserve.shelf }}"
       token: "***"
       depends on what reserve puts out
     3 sorry  slack:send  is skipped
       if failure() is false
     4 last  slack:send  local
       if .steps.tell.ok is not known before the steps run
       depends on what tell puts out

Not for this event:
  ○ Other  2.yaml
      user.create: word 1 is 'order', not 'user'"""
    )


def test_a_condition_that_is_false_is_told_with_the_value() -> None:
    told = text_of(explained("order:paid", {"amount": 40}, ORDER))

    assert "○ Order paid  1.yaml  starts nothing" in told
    assert "if .amount > 100 is false: .amount is 40" in told


def test_a_condition_that_fails_is_told_with_what_becomes_of_the_event() -> None:
    told = text_of(explained("order:paid", {}, ORDER))

    assert "✗ Order paid  1.yaml  cannot be decided: the event goes to the dead letters" in told
    assert "if .amount > 100 fails: no field 'amount'" in told


def test_a_job_that_runs_no_step_and_one_that_fails_are_told() -> None:
    skipped = text_of(explained("order:paid", {**PAID, "active": False}, ORDER))
    failing = text_of(explained("order:paid", {"amount": 140}, ORDER))

    assert "job ship, queue internal, timeout 10m  runs no step" in skipped
    assert "job ship, queue internal, timeout 10m  fails" in failing
    assert "if .active fails: no field 'active'" in failing


def test_a_template_that_fails_is_told() -> None:
    told = text_of(explained("order:paid", {"amount": 140, "active": True}, ORDER))

    assert "1 reserve  stock:reserve  Reserve it  fails" in told
    assert "with.order: '{{ .id }}': no field 'id'" in told


def test_the_nearest_keys_are_told_where_nothing_matches() -> None:
    told = text_of(explained("order.paid", {}, simple("A", "order:paid"), simple("B", "x")))

    assert told.splitlines()[:2] == [
        "No workflow has a trigger for order.paid.",
        "Did you mean order:paid?",
    ]
    # The most alike first.
    assert told.index("○ A") < told.index("○ B")


def test_of_many_that_do_not_match_the_most_alike_are_told() -> None:
    texts = [simple(f"W{number}", f"some.key.{number:02}") for number in range(15)]

    some = text_of(explained("some.key.14x", {}, *texts))
    every = text_of(explained("some.key.14x", {}, *texts), everything=True)

    assert some.count("○") == 10
    assert "○ W14  15.yaml" in some
    assert "… and 5 more; --all shows them" in some
    assert every.count("○") == 15
    assert "more" not in every


def test_of_many_triggers_the_most_alike_are_told() -> None:
    told = text_of(explained("c.d", {}, simple("A", "x", "c.e", "y", "z.z")))

    assert "c.e: word 2 is 'd', not 'e'" in told
    assert "… and 1 more trigger" in told


def test_a_workflow_that_the_clock_starts_says_so() -> None:
    text = simple("A", "x").replace('["x"]', "{cron: {schedule: '@daily'}}")

    assert "only the clock starts it" in text_of(explained("k", {}, text))


def test_nothing_in_file_or_event_can_steer_the_terminal() -> None:
    text = ORDER.replace("Order paid", "Order \u202e paid")
    told = text_of(explained("order:\x1b[31m", {**PAID, "id": "\x1b[31m\u202e"}, text))

    assert all(line.isprintable() for line in told.splitlines())
    assert r'order: "\u001b[31m\u202e"' in told


def test_json_tells_all_of_it() -> None:
    data = json.loads(
        explanation_json(explained("order:paid", PAID, ORDER, simple("Other", "user.create")))
    )

    assert data["event"] == {"key": "order:paid", "id": "e-1", "data": PAID}
    assert (data["matches"], data["nearest"]) == (["Order paid"], [])
    first, other = data["workflows"]
    assert (first["path"], first["workflow"], first["state"]) == (
        "1.yaml",
        "Order paid",
        "starts",
    )
    assert first["triggers"] == [
        {
            "event": "order:*",
            "binding": "*",
            "matches": True,
            "difference": None,
            "if": {
                "expression": ".amount > 100",
                "holds": True,
                "values": {".amount": 140},
                "needs": [],
                "error": None,
            },
        }
    ]
    [job] = first["jobs"]
    assert (job["workflow_id"], job["queue"], job["timeout"], job["state"]) == (
        "Order paid/ship/e-1",
        "internal",
        "10m",
        "runs",
    )
    assert job["steps"][1] == {
        "step": "tell",
        "name": "tell",
        "action": "slack:send",
        "mode": None,
        "state": "runs",
        "if": None,
        "with": {"text": "From {{ .steps.reserve.shelf }}", "token": "***"},
        "needs": ["reserve"],
        "error": None,
    }
    assert (other["state"], other["triggers"][0]["difference"]) == (
        "unmatched",
        "word 1 is 'order', not 'user'",
    )
