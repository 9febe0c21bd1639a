from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from hatchet_schemas import Problem, SourceFile, load_definitions

FIRST = {"id": "first", "action": "a:b", "timeout": "1s"}
OTHER_JOB = {"steps": [{"id": "elsewhere", "action": "a:b", "timeout": "1s"}]}


def problems_of(workflow: dict[str, Any], known_vars: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return the problems of a workflow, written as JSON."""
    text = json.dumps({"name": "W", "on": "k", **workflow}, indent=1)
    return load_definitions([SourceFile("w", text.encode())], known_vars=known_vars)[1]


def told(problems: Collection[Problem]) -> list[tuple[str, str]]:
    """Return rule and message of each problem."""
    return [(problem.rule, problem.message) for problem in problems]


def pointed_at(problem: Problem) -> str:
    """Return the word at which a problem points."""
    words = problem.excerpt[problem.column - 1 :].replace("'", " ").replace('"', " ")
    return words.replace(".", " ").replace("]", " ").split(" ")[0]


def in_with(text: object, **workflow: object) -> dict[str, Any]:
    """Return a workflow whose second step, of three, has ``text`` in its ``with``."""
    steps = [FIRST, {**FIRST, "id": "second", "with": {"x": text}}, {**FIRST, "id": "third"}]
    return {"jobs": {"j": {"steps": steps}, "other": OTHER_JOB}, **workflow}


def in_if(text: str, owner: str, **workflow: object) -> dict[str, Any]:
    """Return a workflow with ``text`` as the condition of its trigger, its job or its step."""
    second = {**FIRST, "id": "second"} | ({"if": text} if owner == "step" else {})
    job = {"steps": [FIRST, second]} | ({"if": text} if owner == "job" else {})
    on: Any = [{"event": "k", "if": text}] if owner == "trigger" else "k"
    return {"on": on, "jobs": {"j": job}, **workflow}


@pytest.mark.parametrize(
    ("template", "rule", "word", "message"),
    [
        # steps
        ("{{ .steps.frist.x }}", "unknown-step", "frist", "no step 'frist': did you mean 'first'?"),
        (
            "{{ .steps.zzz }}",
            "unknown-step",
            "zzz",
            "no step 'zzz': before this one there is 'first'",
        ),
        ("{{ .steps.zzz | default(1) }}", "unknown-step", "zzz", "job 'j' has no step 'zzz'"),
        ("{{ .steps['zzz'].x }}", "unknown-step", "[", "job 'j' has no step 'zzz'"),
        ("{{ .steps[0].x }}", "unknown-step", "[0", "job 'j' has no step 0"),
        ("{{ .a[.steps.zzz.x] }}", "unknown-step", "zzz", "job 'j' has no step 'zzz'"),
        (
            "{{ .steps.elsewhere.x }}",
            "unknown-step",
            "elsewhere",
            "it is in job 'other', and jobs run in parallel",
        ),
        ("{{ .steps.second.x }}", "step-order", "second", "step 'second' refers to itself"),
        ("{{ .steps.third.x }}", "step-order", "third", "step 'third' comes later"),
        ("{{ .steps.first.failure.kind }}", "unknown-name", "kind", "has no field 'kind'"),
        ("{{ .steps.first.outcome.x }}", "unknown-name", "x", "the outcome of a step is a text"),
        ("{{ .steps.first.conclusion.x }}", "unknown-name", "x", "the conclusion of a step is"),
        # ours
        ("{{ .event.kye }}", "unknown-name", "kye", "no field 'kye': did you mean .event.key?"),
        (
            "{{ .event.zzz }}",
            "unknown-name",
            "zzz",
            "'zzz': there are 'id', 'key', 'time', 'source'",
        ),
        ("{{ .event.data.x }}", "unknown-name", "data", "the event's data stand at the root"),
        ("{{ .event.id.x }}", "unknown-name", "x", ".event.id is a text"),
        ("{{ .job.status }}", "unknown-name", "status", ".job is the job's name, a text"),
        ("{{ .workflow.x }}", "unknown-name", "x", ".workflow is the workflow's name, a text"),
        ("{{ .vars.zzz }}", "unknown-var", "zzz", "no var 'zzz': add it to vars"),
        ("{{ .vars.collor }}", "unknown-var", "collor", "did you mean .vars.color?"),
        ("{{ .vars.glboal }}", "unknown-var", "glboal", "did you mean .vars.global?"),
        # like ours, or like those of others
        ("{{ .secret.X }}", "foreign-name", "secret", "did you mean .secrets.X?"),
        ("{{ .var.X }}", "foreign-name", "var", "did you mean .vars.X?; write .input.var.X if"),
        ("{{ .Vars.X }}", "foreign-name", "Vars", "did you mean .vars.X?"),
        ("{{ .step.first.x }}", "foreign-name", "step", "did you mean .steps.first?"),
        ("{{ .setps.first.x }}", "foreign-name", "setps", "did you mean .steps.first?"),
        ("{{ .inputs.x }}", "foreign-name", "inputs", "did you mean .input.x?"),
        ("{{ .env.X }}", "foreign-name", "env", "in .vars here, or in .secrets"),
        ("{{ github.event.x }}", "foreign-name", "github", "the event's data stand at the root"),
        ("{{ matrix.os }}", "foreign-name", "matrix", "there is no matrix here"),
        ("{{ .needs.other.x }}", "foreign-name", "needs", "jobs run in parallel"),
        ("{{ .first.outputs.x }}", "foreign-name", "first", "did you mean .steps.first.outputs?"),
        (
            "{{ .stages.first.outputs.x }}",
            "foreign-name",
            "stages",
            "did you mean .steps.first.out",
        ),
    ],
)
def test_a_name_that_cannot_be_meant_is_told(
    template: str, rule: str, word: str, message: str
) -> None:
    workflow = in_with(template, vars={"color": 1})

    [problem] = problems_of(workflow, known_vars={"global"})

    assert (problem.rule, pointed_at(problem)) == (rule, word)
    assert message in problem.message


@pytest.mark.parametrize(
    "template",
    [
        "{{ .anything }}",
        "{{ .anything.at.all }}",
        "{{ .input.anything.at.all }}",
        "{{ .input }}",
        "{{ .steps.first.x }}",
        "{{ .steps.first.outputs.x.y[0] }}",
        "{{ .steps.first }}",
        "{{ .steps }}",
        "{{ .steps[.which].x }}",
        "{{ .steps.first.outcome }}",
        "{{ .steps.first.failure.message }}",
        "{{ .steps.first.failure | default('') }}",
        "{{ .event }}",
        "{{ .event.id }}{{ .event.key }}{{ .event.time }}{{ .event.source }}",
        "{{ .event.key[0] }}",
        "{{ .workflow }} {{ .job }}",
        "{{ .vars }}",
        "{{ .vars.color.deep }}",
        "{{ .vars.global }}",
        "{{ .vars.zzz | default(1) }}",
        "{{ .vars.zzz.deep | default(1) }}",
        "{{ .vars.zzz if .vars.zzz is defined else 1 }}",
        "{{ .vars.zzz.deep if .vars.zzz is defined else 1 }}",
        "{{ .secrets.ANY }}",
        # fields that an event may well have
        "{{ .env }}{{ .step }}{{ .var }}{{ .inputs }}{{ .first }}",
        "{{ .input.env.X }}{{ .input.step.x }}",
        "{{ .second.x }}",
        "{{ .first.name }}",
        "{{ .list | map(attribute='steps.zzz') | list }}",
        "{{ '.steps.zzz.x' }}",
        "text .steps.zzz.x",
        5,
    ],
)
def test_a_name_that_may_be_meant_is_let_pass(template: object) -> None:
    workflow = in_with(template, vars={"color": {}})

    assert problems_of(workflow, known_vars={"global"}) == ()


def test_templates_are_looked_at_however_deep_they_stand() -> None:
    workflow = in_with([1, {"a": ["{{ .steps.zzz.x }}", "{{ .event.zzz }}"]}])

    assert [problem.rule for problem in problems_of(workflow)] == ["unknown-step", "unknown-name"]


def test_each_place_of_a_name_is_told() -> None:
    problems = problems_of(in_with("{{ .steps.zzz.x }} {{ .steps.zzz.y }}"))

    assert [problem.rule for problem in problems] == ["unknown-step", "unknown-step"]
    assert problems[0].column < problems[1].column


@pytest.mark.parametrize(
    ("owner", "condition", "rule", "word"),
    [
        ("trigger", ".steps.first.x", "out-of-scope", "steps"),
        ("trigger", "{{ .steps.first.x }}", "out-of-scope", "steps"),
        ("trigger", ".job == 'j'", "out-of-scope", "job"),
        ("trigger", ".event.zzz", "unknown-name", "zzz"),
        ("trigger", ".vars.zzz", "unknown-var", "zzz"),
        ("trigger", ".a == github.ref.x", "foreign-name", "github"),
        ("job", ".a and .steps.first.x", "out-of-scope", "steps"),
        ("job", "  {{ .event.zzz }}", "unknown-name", "zzz"),
        ("job", ".vars.zzz == 1", "unknown-var", "zzz"),
        ("job", ".job.x", "unknown-name", "x"),
        ("step", ".steps.second.x", "step-order", "second"),
        ("step", "failure() and .steps.zzz.x", "unknown-step", "zzz"),
        ("step", "{{ .steps.first.failure.zzz }}", "unknown-name", "zzz"),
        ("step", "env.X == 'x'", "foreign-name", "env"),
    ],
)
def test_a_name_in_a_condition_is_told_where_it_stands(
    owner: str, condition: str, rule: str, word: str
) -> None:
    [problem] = problems_of(in_if(condition, owner))

    assert (problem.rule, pointed_at(problem)) == (rule, word)


@pytest.mark.parametrize(
    ("owner", "condition"),
    [
        ("trigger", ".a > 1 and .input.b and .event.source and .vars.v and .workflow"),
        ("job", ".a > 1 and .input.b and .event.source and .vars.v and .workflow and .job"),
        ("step", ".a > 1 and .vars.v and .job and .steps.first.x and .steps.first.outcome"),
        ("step", "always() and .steps.first.failure.type == 'Timeout'"),
    ],
)
def test_conditions_see_what_there_is_when_they_are_decided(owner: str, condition: str) -> None:
    assert problems_of(in_if(condition, owner, vars={"v": 1})) == ()


@pytest.mark.parametrize("name", ["success", "failure", "cancelled", "always"])
@pytest.mark.parametrize("owner", ["trigger", "job"])
def test_before_the_first_step_nobody_can_ask_how_steps_went(owner: str, name: str) -> None:
    [problem] = problems_of(in_if(f".a or {name}()", owner))

    assert (problem.rule, pointed_at(problem)) == ("status-function", f"{name}()")
    assert f"not of a {owner}" in problem.message


BY_CLOCK = {"cron": {"schedule": "@daily"}}


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{{ .order }}", "order"),
        ("{{ .order.id }}", "order"),
        ("{{ .input.order }}", "order"),
        ("{{ .order is defined and .other }}", "other"),
    ],
)
def test_a_run_by_the_clock_has_no_event_data(template: str, word: str) -> None:
    [problem] = problems_of(in_with(template, on=BY_CLOCK))

    assert (problem.rule, pointed_at(problem)) == ("no-event-data", word)


def test_a_slip_is_told_as_such_where_there_is_no_event_data() -> None:
    [problem] = problems_of(in_with("{{ .var.x }}", on=BY_CLOCK))

    assert problem.rule == "no-event-data"
    assert problem.message.endswith(": did you mean .vars.x?")


@pytest.mark.parametrize(
    "template",
    [
        "{{ .event.time }} {{ .steps.first.x }} {{ .job }} {{ .input }} {{ .secrets.X }}",
        "{{ .order | default('none') }}",
        "{{ .order.id if .order is defined else 'none' }}",
        "{% if .order is defined %}{{ .order.id }}{% endif %}",
    ],
)
def test_what_a_run_by_the_clock_has_or_allows_for_is_let_pass(template: str) -> None:
    assert problems_of(in_with(template, on=BY_CLOCK)) == ()


@pytest.mark.parametrize("owner", ["job", "step"])
def test_a_condition_can_allow_for_what_is_missing(owner: str) -> None:
    workflow = in_if(".order is defined", owner, on=BY_CLOCK)
    workflow["jobs"]["j"]["steps"][1]["with"] = {"x": "{{ .order.id }}"}

    assert problems_of(workflow) == ()


def test_a_workflow_that_an_event_can_start_may_read_its_data() -> None:
    assert problems_of(in_with("{{ .order.id }}", on={**BY_CLOCK, "events": "k"})) == ()


@pytest.mark.parametrize(
    ("listed", "template", "expected"),
    [
        (None, "{{ .secrets.B }}", []),
        (["A"], "{{ .secrets.A }}", []),
        (["A"], "Bearer {{ .secrets.A }}", []),
        (["A_TOKEN"], "{{ .secrets.A_TOKEN }}{{ .secrets.A_TOKN }}", ["unlisted-secret"]),
        (["A"], "{{ .a }}", ["unused-secret"]),
        (["A", "B"], "{{ .secrets.B }}", ["unused-secret"]),
        ([], "{{ .secrets.B }}", ["unlisted-secret"]),
        ([], "{{ .a }}", []),
    ],
)
def test_a_list_of_secrets_is_complete_and_no_longer(
    listed: list[str] | None, template: str, expected: list[str]
) -> None:
    given = {} if listed is None else {"secrets": listed}

    assert [problem.rule for problem in problems_of(in_with(template, **given))] == expected


def test_an_unlisted_secret_is_told_with_what_to_do() -> None:
    assert told(problems_of(in_with("{{ .secrets.ZZZ }}", secrets=[]))) == [
        ("unlisted-secret", "secret 'ZZZ' is not in the secrets of this workflow: add it there")
    ]
    near = in_with("{{ .secrets.A_TOKN }}{{ .secrets.A_TOKEN }}", secrets=["A_TOKEN"])
    [problem] = problems_of(near)
    assert pointed_at(problem) == "A_TOKN"
    assert problem.message.endswith("did you mean 'A_TOKEN'?")
