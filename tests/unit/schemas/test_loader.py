from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatchet_schemas import CronTrigger, Problem, RetryPolicy, SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.rules import RULES
from hatchet_schemas.workflows import Workflow

SIGN_UP = """\
name: "Post User Sign Up"
on:
  - user:create
jobs:
  create-resources:
    steps:
      - name: Create sandbox environment
        id: createSandbox
        actionId: sandbox:create
        timeout: 60s
  greet-user:
    queue: internal
    timeout: 1m30s
    steps:
      - name: Greet user
        id: greet-1
        actionId: postmark:email-from-template
        timeout: 15s
        retry: {attempts: 3, backoff: 250ms, factor: 3, max-backoff: 10s}
        with:
          firstName: "{{ .user.firstName }}"
          to: &to ["{{ .user.email }}", 010, no, null, 1.5]
      - {name: Second, id: second, actionId: "a:b:c", timeout: 1m, with: {to: *to}}
"""

STEP = "{name: S, id: s, actionId: a:b, timeout: 1s}"


def triggered_by(on: str) -> str:
    return f"name: W\non: {on}\njobs: {{j: {{steps: [{STEP}]}}}}\n"


def with_step(step: str) -> str:
    return f"name: W\non: k\njobs:\n  j:\n    steps:\n      - {step}\n"


def loaded(text: str) -> Workflow:
    (definition,), problems = load_definitions([SourceFile("a.yaml", text.encode())])
    assert problems == ()
    assert definition.path == "a.yaml"
    return definition.workflow


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    definitions, problems = load_definitions([SourceFile("a.yaml", content)])
    assert bool(definitions) != bool(problems)
    return problems


def test_a_whole_workflow_is_read() -> None:
    workflow = loaded(SIGN_UP)
    assert workflow.name == "Post User Sign Up"
    assert [trigger.event for trigger in workflow.on.events] == ["user:create"]
    assert workflow.on.cron == ()
    assert list(workflow.jobs) == ["create-resources", "greet-user"]
    sandbox = workflow.jobs["create-resources"]
    assert (sandbox.queue, sandbox.timeout) == ("default", None)
    assert sandbox.steps[0].with_ == {}
    assert sandbox.steps[0].retry == RetryPolicy()
    greet = workflow.jobs["greet-user"]
    assert (greet.queue, greet.timeout) == ("internal", timedelta(seconds=90))
    first, second = greet.steps
    assert (first.name, first.id, first.action_id) == (
        "Greet user",
        "greet-1",
        "postmark:email-from-template",
    )
    assert first.timeout == timedelta(seconds=15)
    assert first.retry == RetryPolicy(
        attempts=3,
        backoff=timedelta(milliseconds=250),
        factor=3.0,
        max_backoff=timedelta(seconds=10),
    )
    assert first.with_ == {
        "firstName": "{{ .user.firstName }}",
        "to": ["{{ .user.email }}", "010", "no", None, 1.5],
    }
    assert second.timeout == timedelta(minutes=1)
    assert second.with_ == {"to": first.with_["to"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_system_is_read_alike(end: str) -> None:
    assert loaded("\ufeff" + SIGN_UP.replace("\n", end)) == loaded(SIGN_UP)


@pytest.mark.parametrize(
    ("on", "events", "cron"),
    [
        ("user:create", ["user:create"], []),
        ("[eventkey1, eventkey2]", ["eventkey1", "eventkey2"], []),
        ("{events: a}", ["a"], []),
        ("{events: ['a.*', 'b.#']}", ["a.*", "b.#"], []),
        ('{cron: {schedule: "*/15 * * * *"}}', [], [("*/15 * * * *", "UTC")]),
        ("{cron: {schedule: random_hourly}}", [], [("random_hourly", "UTC")]),
        ("{cron: {schedule: random_15_min}}", [], [("random_15_min", "UTC")]),
        ("{cron: {schedule: random_daily}}", [], [("random_daily", "UTC")]),
        (
            "{cron: [{schedule: '@daily'}, {schedule: 0 9 * * mon, timezone: Europe/Berlin}]}",
            [],
            [("@daily", "UTC"), ("0 9 * * mon", "Europe/Berlin")],
        ),
        ("{events: [a], cron: {schedule: '@hourly'}}", ["a"], [("@hourly", "UTC")]),
    ],
)
def test_events_and_schedules_start_a_workflow(
    on: str, events: list[str], cron: list[tuple[str, str]]
) -> None:
    triggers = loaded(triggered_by(on)).on
    assert [trigger.event for trigger in triggers.events] == events
    assert list(triggers.cron) == [
        CronTrigger(schedule=schedule, timezone=timezone) for schedule, timezone in cron
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "rule", "message"),
    [
        # the file
        ("", 1, 1, "empty-file", "the file is empty: expected name, on and jobs"),
        ("# nothing\n", 1, 1, "empty-file", "the file is empty"),
        ("~", 1, 1, "empty-file", "the file is empty"),
        ("---\n", 1, 1, "empty-file", "the file is empty"),
        ("#" * 300_000, 1, 1, "too-large", "the file has 300,000 bytes"),
        ("[" * 100_000, 1, 33, "too-large", "nested more than 32 deep"),
        ("name: W\non: [a\n", 3, 1, "yaml-syntax", "did not find expected ',' or ']'"),
        (b"name: W\non: \xff", 2, 5, "yaml-syntax", "byte 0xff is not UTF-8"),
        ("name: W\nname: V", 2, 1, "duplicate-key", "'name' stands twice in this map"),
        ("- name: W", 1, 1, "wrong-type", "expected a map with name, on and jobs, found a list"),
        ("W", 1, 1, "wrong-type", "expected a map with name, on and jobs, found the text 'W'"),
        # the workflow
        (
            f"on: k\njobs: {{j: {{steps: [{STEP}]}}}}",
            1,
            1,
            "missing-field",
            "needs the field 'name'",
        ),
        (
            f"name: W\njobs: {{j: {{steps: [{STEP}]}}}}",
            1,
            1,
            "missing-field",
            "needs the field 'on'",
        ),
        ("name: W\non: k", 1, 1, "missing-field", "a workflow needs the field 'jobs'"),
        (
            triggered_by("k") + "job: 1",
            4,
            1,
            "unknown-field",
            "a workflow has no field 'job': did you mean 'jobs'?",
        ),
        (
            triggered_by("k") + "x: 1",
            4,
            1,
            "unknown-field",
            "expected one of name, description, on, vars, secrets, defaults, jobs",
        ),
        (
            triggered_by("k").replace("W", "5"),
            1,
            7,
            "wrong-type",
            "expected a text, found the number 5",
        ),
        (
            triggered_by("k").replace("W", '""'),
            1,
            7,
            "invalid-name",
            "expected one line of at most 200",
        ),
        (triggered_by("k").replace("W", r'"a\nb"'), 1, 7, "invalid-name", r"'a\nb' is not a name"),
        (triggered_by("k").replace("W", "x" * 201), 1, 7, "invalid-name", "at most 200 characters"),
        # what starts it
        (triggered_by("5"), 2, 5, "wrong-type", "expected an event key, a list of them, or a map"),
        (triggered_by(""), 2, 4, "wrong-type", "found nothing"),
        (triggered_by("true"), 2, 5, "wrong-type", "found true"),
        (triggered_by("[]"), 2, 1, "no-trigger", "nothing starts this workflow"),
        (triggered_by("{}"), 2, 1, "no-trigger", "nothing starts this workflow"),
        (
            triggered_by("[k, 5]"),
            2,
            9,
            "wrong-type",
            "expected an event key, or a map with event and if, found the number 5",
        ),
        (
            triggered_by("[k, [k]]"),
            2,
            9,
            "wrong-type",
            "expected an event key, or a map with event and if, found a list",
        ),
        (triggered_by("[k, 'a b']"), 2, 9, "invalid-event-key", "'a b' is not an event key"),
        (triggered_by("[k, a**]"), 2, 9, "pattern-matches-nothing", "'a**' would match nothing"),
        (triggered_by("{events: [5]}"), 2, 15, "wrong-type", "expected an event key"),
        (triggered_by("{event: k, cron: []}"), 2, 6, "unknown-field", "did you mean 'events'?"),
        (
            triggered_by("{cron: {}}"),
            2,
            6,
            "missing-field",
            "a cron trigger needs the field 'schedule'",
        ),
        (triggered_by("{cron: '@daily'}"), 2, 12, "wrong-type", "expected a map with schedule"),
        (triggered_by("{cron: {schedule: x}}"), 2, 23, "invalid-schedule", "'x' is not a schedule"),
        (
            triggered_by("{cron: {schedule: '0 9-25 * * *'}}"),
            2,
            26,
            "invalid-schedule",
            "hour '25' is not from 0 to 23",
        ),
        (
            triggered_by("{schedule: {cron: '0 0  * * 1-5,fri-mon'}}"),
            2,
            37,
            "invalid-schedule",
            "the range fri-mon does not rise; write 5-7,1",
        ),
        (
            triggered_by("{cron: [{schedule: 5}]}"),
            2,
            24,
            "wrong-type",
            "expected a cron expression",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', timezone: Mars}}"),
            2,
            43,
            "invalid-timezone",
            "'Mars' is not a time zone",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', zone: UTC}}"),
            2,
            33,
            "unknown-field",
            "a cron trigger has no field 'zone'",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', catch_up: 1h}}"),
            2,
            33,
            "unknown-field",
            "a cron trigger has no field 'catch_up': did you mean 'catch-up'?",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', catch-up: 9s}}"),
            2,
            43,
            "invalid-duration",
            "'9s' is too short: catch-up is at least 10s",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', jitter: 30}}"),
            2,
            41,
            "wrong-type",
            "found the number 30",
        ),
        (
            triggered_by("{schedule: {cron: '@daily', jitter: soon}}"),
            2,
            41,
            "invalid-duration",
            "'soon' is not a duration",
        ),
        (
            triggered_by("{cron: {schedule: '@daily', overlap: replace}}"),
            2,
            42,
            "invalid-value",
            "input should be 'skip', 'buffer', 'allow' or 'cancel'",
        ),
        # the jobs
        ("name: W\non: k\njobs: []", 3, 7, "wrong-type", "expected a map from job names to jobs"),
        ("name: W\non: k\njobs:", 3, 6, "wrong-type", "found nothing"),
        ("name: W\non: k\njobs: {}", 3, 7, "invalid-value", "expected at least one"),
        ("name: W\non: k\njobs: {j: 5}", 3, 11, "wrong-type", "expected a job: a map with queue"),
        ("name: W\non: k\njobs: {j: {}}", 3, 8, "missing-field", "a job needs the field 'steps'"),
        ("name: W\non: k\njobs: {j: {steps: []}}", 3, 19, "invalid-value", "expected at least one"),
        ("name: W\non: k\njobs: {j: {steps: {}}}", 3, 19, "wrong-type", "expected a list of steps"),
        (
            f"name: W\non: k\njobs: {{a b: {{steps: [{STEP}]}}}}",
            3,
            8,
            "invalid-name",
            "'a b' is not a name",
        ),
        (
            f"name: W\non: k\njobs: {{'[key]': {{steps: [{STEP}]}}}}",
            3,
            8,
            "invalid-name",
            "'[key]' is not",
        ),
        (
            f"name: W\non: k\njobs: {{j: {{queue: a b, steps: [{STEP}]}}}}",
            3,
            19,
            "invalid-name",
            "'a b' is not a name: expected letters",
        ),
        (
            f"name: W\non: k\njobs: {{j: {{timeout: 1x, steps: [{STEP}]}}}}",
            3,
            21,
            "invalid-duration",
            "'1x' is not a duration: expected a number and a unit",
        ),
        (
            f"name: W\non: k\njobs: {{j: {{time: 1s, steps: [{STEP}]}}}}",
            3,
            12,
            "unknown-field",
            "a job has no field 'time': did you mean 'timeout'?",
        ),
        (
            f"name: W\non: k\njobs: {{j: {{runs-on: linux, steps: [{STEP}]}}}}",
            3,
            12,
            "unknown-field",
            "a job has no field 'runs-on': write queue: NAME",
        ),
        (
            triggered_by("{push: }"),
            2,
            6,
            "unknown-field",
            "event keys stand in a list, such as on: [user:create]",
        ),
        (
            triggered_by("{schedule: '0 0 * * *'}"),
            2,
            16,
            "wrong-type",
            "expected a map with cron and timezone, found the text",
        ),
        # the steps
        (with_step("{uses: a/b@v4, id: s, timeout: 1s}"), 6, 10, "unknown-field", "write actionId"),
        (with_step("{run: make, id: s, timeout: 1s}"), 6, 10, "unknown-field", "no commands"),
        (with_step("5"), 6, 9, "wrong-type", "expected a step: a map with name, id, actionId"),
        (with_step("{name: S, id: s, timeout: 1s}"), 6, 9, "missing-field", "'actionId'"),
        (with_step("{name: S, id: s, actionId: a:b}"), 6, 9, "missing-field", "'timeout'"),
        (with_step(STEP.replace("S", "''")), 6, 16, "invalid-value", "at least 1 character"),
        (with_step(STEP.replace("S", "[]")), 6, 16, "wrong-type", "expected a text, found a list"),
        (with_step(STEP.replace("id: s", "id: s/1")), 6, 23, "invalid-name", "'s/1' is not a name"),
        (
            with_step(STEP.replace("id: s", f"id: {'s' * 101}")),
            6,
            23,
            "invalid-name",
            "at most 100 characters",
        ),
        (
            with_step(STEP.replace("a:b", "ab")),
            6,
            36,
            "invalid-action-id",
            "'ab' is not an action id",
        ),
        (with_step(STEP.replace("a:b", "5")), 6, 36, "wrong-type", "expected integration:verb"),
        (
            with_step(STEP.replace("1s", "15")),
            6,
            50,
            "wrong-type",
            "expected a duration, such as 15s, found the number 15",
        ),
        (with_step(STEP.replace("1s", "0s")), 6, 50, "invalid-duration", "'0s' is too short"),
        (with_step(STEP.replace("1s", "9999d")), 6, 50, "invalid-duration", "'9999d' is too long"),
        (with_step(STEP.replace("1s", "1s, with: 5")), 6, 60, "wrong-type", "expected a map"),
        (
            with_step(STEP.replace("1s", "1s, retry: {attempts: 0}")),
            6,
            72,
            "invalid-value",
            "greater than or equal to 1",
        ),
        (
            with_step(STEP.replace("1s", "1s, retry: {attempts: 1.5}")),
            6,
            72,
            "wrong-type",
            "expected a whole number",
        ),
        (
            with_step(STEP.replace("1s", "1s, retry: {factor: x}")),
            6,
            70,
            "wrong-type",
            "expected a number",
        ),
        (
            with_step(STEP.replace("1s", "1s, retry: {backoff: 2m}")),
            6,
            54,
            "backoff-order",
            "max-backoff is shorter than backoff",
        ),
        (
            with_step(STEP.replace("1s", "1s, retry: {tries: 3}")),
            6,
            62,
            "unknown-field",
            "retry has no field 'tries'",
        ),
        (
            with_step(STEP.replace("actionId", "action_id").replace("a:b", "a:b, actionId: a:b")),
            6,
            26,
            "unknown-field",
            "a step has no field 'action_id': did you mean 'actionId'?",
        ),
        (
            with_step(f"{STEP}\n      - {STEP}"),
            7,
            23,
            "duplicate-id",
            "step id 's' is used twice in this job",
        ),
        # templates
        (
            with_step(STEP.replace("1s", "1s, with: {a: [1, {b: '{{ .x'}]}")),
            6,
            77,
            "template",
            "'{{ .x': unexpected end of template",
        ),
        (
            with_step(
                "\n".join(
                    [
                        STEP[1:-1].replace(", ", "\n        "),
                        "        with:",
                        "          \u00e9: '{{ f() }}'",
                    ]
                )
            ),
            11,
            19,
            "template",
            "templates have no calls",
        ),
        # characters of several bytes before the place
        (triggered_by("['\u00e9\U0001f600', k]"), 2, 6, "invalid-event-key", "is not an event key"),
        (triggered_by("[k, k] # \u65e5\u672c").replace("W", "5"), 1, 7, "wrong-type", "number 5"),
        (triggered_by("{'\u65e5\U0001f600': 1, events: 5}"), 2, 23, "wrong-type", "number 5"),
        (triggered_by("\t[\tk,\t5]"), 2, 11, "wrong-type", "number 5"),
    ],
)
def test_a_problem_is_told_with_its_place_and_rule(
    text: str | bytes, line: int, column: int, rule: str, message: str
) -> None:
    problems = problems_of(text)
    assert any(
        (problem.line, problem.column, problem.rule) == (line, column, rule)
        and message in problem.message
        for problem in problems
    ), "\n".join(map(str, problems))
    assert {problem.rule for problem in problems} <= RULES.keys()


@pytest.mark.parametrize(
    ("step", "rules"),
    [
        ("{actionId: a:b, timeout: 1s}", ["missing-field"]),
        ("{id: 5, actionId: a:b, timeout: 1s}", ["wrong-type"]),
        ("{uses: a/b@v4, id: s, timeout: 1s}", ["unknown-field"]),
        ("{run: make, id: s, timeout: 1s}", ["unknown-field"]),
    ],
)
def test_one_mistake_is_one_problem(step: str, rules: list[str]) -> None:
    """A step without an id is not told that it needs a name, nor one with uses an actionId."""
    _, problems = load_definitions([SourceFile("w.yaml", with_step(step).encode())])

    assert [problem.rule for problem in problems] == rules


def test_two_files_may_not_hold_workflows_of_one_name() -> None:
    definitions, problems = load_definitions(
        SourceFile(path, f"# {path}\n{triggered_by('k')}".encode()) for path in ("a", "b", "c")
    )
    assert [definition.path for definition in definitions] == ["a"]
    assert [str(problem) for problem in problems] == [
        "b:2:7: workflow name 'W' is taken by a [duplicate-workflow]",
        "c:2:7: workflow name 'W' is taken by a [duplicate-workflow]",
    ]


def test_a_file_with_problems_takes_no_name() -> None:
    definitions, problems = load_definitions(
        [
            SourceFile("a", triggered_by("5").encode()),
            SourceFile("b", triggered_by("k").encode()),
        ]
    )
    assert [definition.path for definition in definitions] == ["b"]
    assert [problem.path for problem in problems] == ["a"]


def test_all_problems_of_all_files_are_told_at_once_and_in_order() -> None:
    many = """\
name: 5
on: [a b, c]
jobs:
  j k: {steps: []}
  l:
    time: 1s
    steps:
      - {name: S, id: s, actionId: ab, timeout: 1x, with: {a: "{{", b: ["{{ .x", ok, "{{ f() }}"]}}
      - {id: t}
"""
    definitions, problems = load_definitions(
        [
            SourceFile("z", many.encode()),
            SourceFile("empty", b""),
            SourceFile("good", triggered_by("k").encode()),
            SourceFile("bad", b"a: ["),
        ]
    )
    assert [definition.path for definition in definitions] == ["good"]
    assert [(p.path, p.line, p.column, p.rule) for p in problems] == [
        ("z", 1, 7, "wrong-type"),
        ("z", 2, 6, "invalid-event-key"),
        ("z", 4, 3, "invalid-name"),
        ("z", 4, 16, "invalid-value"),
        ("z", 6, 5, "unknown-field"),
        ("z", 8, 36, "invalid-action-id"),
        ("z", 8, 49, "invalid-duration"),
        ("z", 8, 64, "template"),
        ("z", 8, 78, "template"),
        ("z", 8, 91, "template"),
        ("z", 9, 9, "missing-field"),
        ("z", 9, 9, "missing-field"),
        ("empty", 1, 1, "empty-file"),
        ("bad", 1, 5, "yaml-syntax"),
    ]


def test_a_file_with_warnings_loads_and_one_with_errors_does_not() -> None:
    warned = triggered_by("[k, k]")
    wrong = warned.replace("1s", "1s, with: {a: '{{ .steps.x.y }}'}").replace("W", "V")
    definitions, problems = load_definitions(
        [SourceFile("warned", warned.encode()), SourceFile("wrong", wrong.encode())]
    )
    assert [definition.path for definition in definitions] == ["warned"]
    assert [(p.path, p.line, p.column, p.rule, p.severity) for p in problems] == [
        ("warned", 2, 9, "redundant-trigger", "warning"),
        ("wrong", 2, 9, "redundant-trigger", "warning"),
        ("wrong", 3, 86, "unknown-step", "error"),
    ]


def test_a_file_that_does_not_load_for_its_sense_takes_no_name() -> None:
    wrong = triggered_by("k").replace("1s", "1s, with: {a: '{{ .steps.x.y }}'}")
    definitions, problems = load_definitions(
        [SourceFile("a", wrong.encode()), SourceFile("b", triggered_by("k").encode())]
    )
    assert [definition.path for definition in definitions] == ["b"]
    assert [(problem.path, problem.rule) for problem in problems] == [("a", "unknown-step")]


def test_what_an_anchor_stands_for_is_told_once() -> None:
    steps = STEP.replace("1s", "1s, with: {a: &a '{{ .event.x }}', b: *a}")
    assert [(p.line, p.column, p.rule) for p in problems_of(with_step(steps))] == [
        (6, 78, "unknown-name")
    ]


def test_each_repeated_step_id_is_told() -> None:
    steps = "\n      - ".join([STEP, STEP, STEP.replace("id: s", "id: t"), STEP])
    assert [(p.line, p.column, p.rule) for p in problems_of(with_step(steps))] == [
        (7, 23, "duplicate-id"),
        (9, 23, "duplicate-id"),
    ]


def test_an_excerpt_is_the_line_of_the_problem() -> None:
    (problem,) = problems_of("# x\r\n" + triggered_by("[k, 5]").replace("\n", "\r\n"))
    assert problem.with_caret() == (
        "a.yaml:3:9: expected an event key, or a map with event and if, found the number 5 "
        "[wrong-type]\n"
        "    on: [k, 5]\n"
        "            ^"
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028"])
def test_an_excerpt_is_the_right_line_whatever_ends_lines(end: str) -> None:
    (problem,) = problems_of("# \u00e9" + end + triggered_by("5"))
    assert (problem.line, problem.excerpt) == (3, "on: 5")


def test_an_excerpt_is_short_and_has_no_escape_codes() -> None:
    (problem,) = problems_of("name: \x1b[31m" + "x" * 100_000)
    assert problem.excerpt.startswith("name: \ufffd[31mxxx")
    assert len(problem.excerpt) <= 160


@pytest.mark.heavy
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("on:\n" + '- "?" # xxxx\n' * 19_000, id="bad keys"),
        pytest.param("".join(f"k{i}: 1\n" for i in range(19_000)), id="unknown fields"),
        pytest.param(
            f"x: &a '{'y' * 10_000}'\non: [k]\nname: n\n"
            f"jobs: {{j: {{steps: [{{timeout: [{'*a,' * 40}]}}]}}}}",
            id="large values",
        ),
        pytest.param(f"'{'k' * 200_000}': 1", id="a long name"),
        pytest.param("name: n\non: k\njobs: {j: {steps: [" + "5," * 19_000 + "]}}", id="bad steps"),
    ],
)
def test_many_and_large_problems_are_told_soon_and_shortly(text: str) -> None:
    problems = problems_of(text)
    assert max(len(str(problem)) for problem in problems) < 600


def assert_loads_or_tells(content: bytes) -> None:
    definitions, problems = load_definitions([SourceFile("a.yaml", content)])
    assert bool(definitions) != any(problem.severity == "error" for problem in problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.rule in RULES
        assert problem.message
        assert "\n" not in str(problem)
        problem.with_caret()


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALID = SIGN_UP.encode()
LINES = SIGN_UP.splitlines(keepends=True)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@FUZZ
def test_any_bytes_load_or_are_told_apart(content: bytes) -> None:
    assert_loads_or_tells(content)


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4))
@FUZZ
def test_a_file_with_flipped_bytes_loads_or_is_told_apart(flips: list[tuple[int, int]]) -> None:
    content = bytearray(VALID)
    for position, byte in flips:
        content[position] = byte
    assert_loads_or_tells(bytes(content))


PICKED = st.lists(st.sampled_from(range(len(LINES))), min_size=1, max_size=len(LINES))


@given(PICKED | PICKED.map(sorted))
@FUZZ
def test_a_file_of_moved_lines_loads_or_is_told_apart(picked: list[int]) -> None:
    assert_loads_or_tells("".join(LINES[line] for line in picked).encode())


INSERTED = st.sampled_from(
    [*"\0\t\r\n\x85\u2028\ufeff:-?[]{},&*!|>'\"%@`#~ ", "{{", "}}", "\U0001f600", "<<: *to"]
)


@given(st.lists(st.tuples(st.integers(0, len(SIGN_UP)), INSERTED), min_size=1, max_size=4))
@FUZZ
def test_a_file_with_insertions_loads_or_is_told_apart(inserted: list[tuple[int, str]]) -> None:
    text = SIGN_UP
    for position, characters in inserted:
        text = text[:position] + characters + text[position:]
    assert_loads_or_tells(text.encode())


VALUES = st.sampled_from(
    [
        "5",
        "~",
        "''",
        "[]",
        "{}",
        "true",
        "[[x]]",
        "{x: {y: 1}}",
        "'{{'",
        "1s",
        "a:b",
        "\u00e9",
        "[5, {}]",
    ]
)


@given(
    st.sampled_from([match.span(1) for match in re.finditer(r": (\S.*)$", SIGN_UP, re.MULTILINE)]),
    VALUES,
)
@FUZZ
def test_a_file_with_a_replaced_value_loads_or_is_told_apart(
    place: tuple[int, int], value: str
) -> None:
    assert_loads_or_tells((SIGN_UP[: place[0]] + value + SIGN_UP[place[1] :]).encode())


def test_what_is_wrong_with_templates_hides_nothing_else() -> None:
    """All problems of a file are told in one go."""
    text = """\
name: W
on: a
secrets: [TOKEN]
jobs:
  j:
    if: .a &&
    steps:
      - {id: one, action: "a:b", timeout: 1s, with: {x: "{{ .b | uper }}"}}
      - {id: two, action: "a:b", timeout: 1s, with: {y: "{{ .steps.on.z }}"}}
"""
    assert [(problem.line, problem.rule) for problem in problems_of(text)] == [
        (6, "template"),
        (8, "unknown-filter"),
        (9, "unknown-step"),
    ]


def test_no_more_problems_are_told_than_are_of_help() -> None:
    """A file that is something else altogether could have thousands."""
    steps = "\n".join(f"      - {{id: s{number}, nope: 1}}" for number in range(200))
    text = f"name: W\non: a\njobs:\n  j:\n    steps:\n{steps}\n"
    found = problems_of(text)
    assert len(found) == 101
    assert found[-1].rule == "too-large"


def test_warnings_hide_no_error_and_keep_no_file_from_loading() -> None:
    """However many there are."""
    many = triggered_by(f"[{', '.join(['k'] * 200)}]")
    definitions, problems = load_definitions([SourceFile("a", many.encode())])
    assert len(definitions) == 1
    assert [problem.rule for problem in problems] == ["redundant-trigger"] * 101

    wrong = many.replace("1s", "1s, with: {a: '{{ .event.x }}'}")
    definitions, problems = load_definitions([SourceFile("a", wrong.encode())])
    assert definitions == ()
    assert [problem.rule for problem in problems].count("unknown-name") == 1
    assert list(problems) == sorted(problems)


def test_a_broken_template_is_not_taken_for_a_wrong_input() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    catalogue = Catalogue.model_validate({"actions": {"a:b": {"with": schema}}})
    text = with_step(STEP.replace("1s", "1s, with: {n: '{{ .a &&'}"))
    _, problems = load_definitions([SourceFile("a", text.encode())], catalogue=catalogue)
    assert [problem.rule for problem in problems] == ["template"]
