from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import (  # type: ignore[import-untyped,unused-ignore]
    Draft7Validator,
    Draft202012Validator,
)

from hatchet_schemas import SourceFile, load_definitions
from hatchet_schemas.json_schema import workflow_json_schema, workflow_json_schema_text
from hatchet_schemas.yaml_source import parse

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "schemas" / "hatchet-workflow.schema.json"
SCHEMA = workflow_json_schema()
# Editors check by the draft that they know, not by the one that a schema names.
VALIDATORS = (Draft7Validator(SCHEMA), Draft202012Validator(SCHEMA))

STEP = "{id: s, actionId: a:b, timeout: 1s}"
FULL = """\
name: "Order paid"
description: What it is for
on:
  events:
    - order.paid
    - {event: "order.*", if: .amount > 100}
    - {event: "audit.#", if: true}
  cron: {schedule: "*/15 * * * *", timezone: Europe/Berlin}
  schedule: [{cron: "@hourly"}, {cron: random_15_min, timezone: UTC}]
vars: {channel: "#orders", limits: [1, null, {a: 2.5}], on-call: true}
secrets: [SLACK_TOKEN, other-one]
defaults: {queue: internal, timeout: 15s, retry: {attempts: 3}}
jobs:
  first:
    description: For people
    queue: default
    if: .user.active
    timeout: 1h30m
    defaults: {timeout: 250ms, retry: {backoff: 1s, factor: 1.5, max-backoff: 1m}}
    steps:
      - name: A step
        id: a-step
        actionId: stock:reserve
        timeout: 1d2h3m4.5s
        retry: {attempts: 1, factor: 2}
        with: {order: "{{ .order.id }}", list: [1, "{{ .a }}", {deep: null}]}
      - {id: b, action: slack:send:now, if: failure()}
      - {id: c, action: a:b, if: false, continue-on-error: true, with: {}}
"""


def triggered_by(on: str) -> str:
    return f"name: W\non: {on}\njobs: {{j: {{steps: [{STEP}]}}}}\n"


def with_step(step: str) -> str:
    return f"name: W\non: k\njobs: {{j: {{steps: [{step}]}}}}\n"


def with_job(fields: str) -> str:
    return f"name: W\non: k\njobs: {{j: {{{fields}, steps: [{STEP}]}}}}\n"


def with_field(line: str) -> str:
    return f"{triggered_by('k')}{line}\n"


def loader_takes(text: str) -> bool:
    definitions, _ = load_definitions([SourceFile("a.yaml", text.encode())])
    return bool(definitions)


def schema_takes(text: str) -> bool:
    root = parse(text.encode())
    assert root is not None
    by_07, by_2020 = (bool(validator.is_valid(root.value)) for validator in VALIDATORS)
    assert by_07 == by_2020
    return by_07


VALID = {
    "everything": FULL,
    "a key": triggered_by("order.paid"),
    "a pattern": triggered_by("'user:*'"),
    "only wildcards": triggered_by("'#'"),
    "a key of all characters": triggered_by("a-b_c/d@e.f:G.9"),
    "empty words": triggered_by("a..b"),
    "a list": triggered_by("[k, 'k.#']"),
    "a list with a map": triggered_by("[{event: k, if: .a}, k]"),
    "a map without if": triggered_by("[{event: k}]"),
    "one event": triggered_by("{events: k}"),
    "one event as a map": triggered_by("{events: {event: k, if: .a}}"),
    "no events, but a cron": triggered_by("{events: [], cron: {schedule: '@daily'}}"),
    "crons": triggered_by("{cron: [{schedule: random_hourly}, {schedule: 0 9 * * mon}]}"),
    "spaces around a schedule": triggered_by("{cron: {schedule: ' 0 9  * * 1 '}}"),
    "a schedule": triggered_by("{schedule: {cron: '@weekly'}}"),
    "all of a cron": triggered_by(
        "{cron: {schedule: '@daily', timezone: UTC, overlap: cancel, catch-up: 10s, jitter: 1m}}"
    ),
    "a step without a name": with_step("{id: s, actionId: a:b, timeout: 1s}"),
    "an action": with_step("{id: s, action: a:b.c-d_e, timeout: 1s}"),
    "an action of three parts": with_step("{id: s, action: a:b:c, timeout: 1s}"),
    "a null description": with_field("description:"),
    "null defaults": with_field("defaults:"),
    "a default of null": with_field("defaults: {retry: null, queue: null}"),
    "no secrets": with_field("secrets: []"),
    "null secrets": with_field("secrets:"),
    "a null job timeout": with_job("timeout: null"),
    "a null if": with_job("if: null"),
    "a false if": with_job("if: false"),
    "durations": with_job("timeout: 0h1m"),
    "a whole number as factor": with_step(f"{STEP[:-1]}, retry: {{factor: 3}}}}"),
    "a null value in with": with_step(f"{STEP[:-1]}, with: {{a: null}}}}"),
    "a name in another script": triggered_by("k").replace("W", "注文 → paid"),
}

INVALID = {
    "no map": "[a]",
    "no name": "on: k\njobs: {j: {steps: []}}",
    "no on": f"name: W\njobs: {{j: {{steps: [{STEP}]}}}}",
    "no jobs": "name: W\non: k",
    "an unknown field": with_field("job: 1"),
    "a number as name": triggered_by("k").replace("W", "5"),
    "an empty name": triggered_by("k").replace("W", '""'),
    "a blank name": triggered_by("k").replace("W", '" "'),
    "a name of two lines": triggered_by("k").replace("W", r'"a\nb"'),
    "a long name": triggered_by("k").replace("W", "x" * 201),
    "a number as on": triggered_by("5"),
    "nothing as on": triggered_by(""),
    "an empty list as on": triggered_by("[]"),
    "an empty map as on": triggered_by("{}"),
    "only empty lists in on": triggered_by("{events: [], cron: []}"),
    "null events": triggered_by("{events: null, cron: {schedule: '@daily'}}"),
    "a number in on": triggered_by("[k, 5]"),
    "a list in on": triggered_by("[k, [k]]"),
    "an event as on": triggered_by("{event: k, if: .a}"),
    "a space in a key": triggered_by("'a b'"),
    "a wildcard in a word": triggered_by("'a**'"),
    "two wildcards as a word": triggered_by("'a.##'"),
    "an empty key": triggered_by("''"),
    "a long key": triggered_by("k" * 256),
    "an unknown field of a trigger": triggered_by("[{event: k, when: .a}]"),
    "a trigger without event": triggered_by("[{if: .a}]"),
    "an empty if of a trigger": triggered_by("[{event: k, if: ''}]"),
    "a cron as text": triggered_by("{cron: '@daily'}"),
    "a cron without schedule": triggered_by("{cron: {timezone: UTC}}"),
    "a cron with cron": triggered_by("{cron: {cron: '@daily'}}"),
    "a schedule with schedule": triggered_by("{schedule: [{schedule: '@daily'}]}"),
    "a schedule of one word": triggered_by("{cron: {schedule: x}}"),
    "a schedule of six fields": triggered_by("{cron: {schedule: 0 0 0 * * *}}"),
    "a schedule as number": triggered_by("{cron: {schedule: 5}}"),
    "an unknown overlap": triggered_by("{cron: {schedule: '@daily', overlap: replace}}"),
    "a jitter as number": triggered_by("{cron: {schedule: '@daily', jitter: 5}}"),
    "a catch-up of nothing": triggered_by("{cron: {schedule: '@daily', catch-up: 0s}}"),
    "a list as jobs": "name: W\non: k\njobs: []",
    "no job": "name: W\non: k\njobs: {}",
    "a number as job": "name: W\non: k\njobs: {j: 5}",
    "a job without steps": "name: W\non: k\njobs: {j: {}}",
    "a job without a step": "name: W\non: k\njobs: {j: {steps: []}}",
    "a job's name with a space": f"name: W\non: k\njobs: {{a b: {{steps: [{STEP}]}}}}",
    "a long job's name": f"name: W\non: k\njobs: {{{'j' * 101}: {{steps: [{STEP}]}}}}",
    "needs": with_job("needs: [other]"),
    "a null queue": with_job("queue: null"),
    "a bad queue": with_job("queue: a b"),
    "a number as timeout": with_job("timeout: 5"),
    "a timeout without a unit": with_job("timeout: '5'"),
    "a timeout of zero": with_job("timeout: 0s"),
    "an empty timeout": with_job("timeout: ''"),
    "units in disorder": with_job("timeout: 5s1m"),
    "a blank if": with_job("if: ' '"),
    "a number as if": with_job("if: 5"),
    "a number as step": with_step("5"),
    "a step without id": with_step("{actionId: a:b, timeout: 1s}"),
    "a step without action": with_step("{id: s, timeout: 1s}"),
    "a step with two actions": with_step("{id: s, actionId: a:b, action: a:b, timeout: 1s}"),
    "an action without verb": with_step("{id: s, actionId: a, timeout: 1s}"),
    "an action of four parts": with_step("{id: s, actionId: a:b:c:d, timeout: 1s}"),
    "a bad id": with_step("{id: s/1, actionId: a:b, timeout: 1s}"),
    "an empty step name": with_step(f"{STEP[:-1]}, name: ''}}"),
    "a null step name": with_step(f"{STEP[:-1]}, name: null}}"),
    "a list as with": with_step(f"{STEP[:-1]}, with: []}}"),
    "null with": with_step(f"{STEP[:-1]}, with: null}}"),
    "null retry": with_step(f"{STEP[:-1]}, retry: null}}"),
    "no attempts": with_step(f"{STEP[:-1]}, retry: {{attempts: 0}}}}"),
    "half an attempt": with_step(f"{STEP[:-1]}, retry: {{attempts: 1.5}}}}"),
    "a text as factor": with_step(f"{STEP[:-1]}, retry: {{factor: '2'}}}}"),
    "true as factor": with_step(f"{STEP[:-1]}, retry: {{factor: true}}}}"),
    "a small factor": with_step(f"{STEP[:-1]}, retry: {{factor: 0.5}}}}"),
    "max_backoff": with_step(f"{STEP[:-1]}, retry: {{max_backoff: 5s}}}}"),
    "a text as continue-on-error": with_step(f"{STEP[:-1]}, continue-on-error: 'yes'}}"),
    "a list as vars": with_field("vars: []"),
    "a bad name of a variable": with_field("vars: {a b: 1}"),
    "a bad name of a secret": with_field("secrets: [a/b]"),
    "a text as secrets": with_field("secrets: A"),
    "a list as description": with_field("description: []"),
    "an unknown default": with_field("defaults: {attempts: 3}"),
}

BEYOND_A_SCHEMA = {
    "a step without any timeout": with_step("{id: s, actionId: a:b}"),
    "two steps of one id": with_step(f"{STEP}, {STEP}"),
    "a template that does not compile": with_step(f"{STEP[:-1]}, with: {{a: '{{{{ .'}}}}"),
    "a condition that does not compile": with_job("if: .a ="),
    "a schedule out of range": triggered_by("{cron: {schedule: 99 * * * *}}"),
    "an unknown nickname": triggered_by("{cron: {schedule: '@never'}}"),
    "an unknown time zone": triggered_by("{cron: {schedule: '@daily', timezone: Mars}}"),
    "a catch-up that is too short": triggered_by("{cron: {schedule: '@daily', catch-up: 9s}}"),
    "a duration of centuries": with_job("timeout: 99999d"),
    "a wait that shrinks": with_step(f"{STEP[:-1]}, retry: {{backoff: 5s, max-backoff: 1s}}}}"),
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_what_the_loader_takes_the_schema_takes(text: str) -> None:
    assert loader_takes(text)
    for validator in VALIDATORS:
        root = parse(text.encode())
        assert root is not None
        validator.validate(root.value)


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_what_the_loader_refuses_the_schema_refuses(text: str) -> None:
    assert (loader_takes(text), schema_takes(text)) == (False, False)


@pytest.mark.parametrize("text", BEYOND_A_SCHEMA.values(), ids=BEYOND_A_SCHEMA)
def test_what_no_schema_can_say_is_left_to_the_loader(text: str) -> None:
    assert (loader_takes(text), schema_takes(text)) == (False, True)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where each value inside stands."""
    yield at
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of ``value`` with ``new`` at one place."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


def full() -> Any:
    root = parse(FULL.encode())
    assert root is not None
    return root.value


PARTS = [at for at in places(full()) if at]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 1002),
    st.sampled_from([0.5, 1.5, 100.5]),
    st.sampled_from(["", " ", "k", "a:b", "a.*", "b*", "5s", "0s", "1m5s", "@daily", "0 9 * * 1"]),
    st.text("ab.:*#/@-_ 0\n", max_size=8),
)
FIELDS = st.sampled_from(["event", "if", "id", "action", "timeout", "steps", "cron", "schedule"])
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)
CHANGES = st.tuples(st.sampled_from(PARTS), SCALARS) | st.tuples(st.sampled_from(PARTS), NESTED)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGES, min_size=1, max_size=2))
def test_no_file_that_the_loader_takes_is_refused(changes: list[tuple[Any, Any]]) -> None:
    data = full()
    for at, value in changes:
        try:
            data = replaced(data, at, value)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # the first change took this place away
    text = json.dumps(data)

    assert schema_takes(text) or not loader_takes(text)


def test_the_schema_is_valid_by_both_drafts_that_editors_know() -> None:
    Draft7Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(SCHEMA)


def schemas_in(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for item in schema.values():
            yield from schemas_in(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from schemas_in(item)


def test_nothing_but_remarks_stands_beside_a_reference() -> None:
    # Draft 07 reads nothing there.
    beside = {key for schema in schemas_in(SCHEMA) if "$ref" in schema for key in schema}

    assert beside <= {"$ref", "title", "description", "examples", "default"}


def test_every_field_is_explained_and_no_other_is_allowed() -> None:
    models = [schema for schema in schemas_in(SCHEMA) if "additionalProperties" in schema]
    maps = [schema for schema in models if "properties" in schema]

    assert len(maps) == 9
    for schema in maps:
        assert schema["additionalProperties"] is False
        for name, field in schema["properties"].items():
            assert field["title"] == name
            assert field["description"].endswith("."), name
            assert "``" not in field["description"], name


def test_each_pattern_is_one_that_javascript_reads_alike() -> None:
    patterns = [schema["pattern"] for schema in schemas_in(SCHEMA) if "pattern" in schema]
    named_groups_and_the_like = re.compile(r"\(\?[^=:!]|\\[AZzdwD]")

    assert patterns
    assert [text for text in patterns if named_groups_and_the_like.search(text)] == []


def test_the_schema_in_the_repository_is_the_present_one() -> None:
    assert COMMITTED.read_text() == workflow_json_schema_text(), (
        f"run: hatchet schema > {COMMITTED.relative_to(ROOT)}"
    )


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("examples/*/.hatchet/*.y*ml")), ids=lambda path: path.name
)
def test_each_example_names_the_schema_for_editors_and_keeps_it(file: Path) -> None:
    text = file.read_text()
    modeline = text.splitlines()[0]

    assert modeline.startswith("# yaml-language-server: $schema=")
    assert (file.parent / modeline.partition("=")[2]).resolve() == COMMITTED
    assert schema_takes(text)
