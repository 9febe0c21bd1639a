"""What a file says once holds for all jobs and steps that do not say otherwise."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from hatchet_schemas import Problem, SourceFile, Workflow, load_definitions
from hatchet_schemas.defaults import with_defaults


def loaded(text: str) -> Workflow:
    """Return the workflow of a file that has no problems."""
    (definition,), problems = load_definitions([SourceFile("w.yaml", text.encode())])
    assert problems == ()
    return definition.workflow


def problems_of(text: str) -> list[tuple[int, int, str]]:
    """Return line, column and rule of each problem."""
    _, problems = load_definitions([SourceFile("w.yaml", text.encode())])
    return [(problem.line, problem.column, problem.rule) for problem in problems]


def only_problem(text: str) -> Problem:
    """Return the one problem of a file."""
    _, (problem,) = load_definitions([SourceFile("w.yaml", text.encode())])
    return problem


LEVELS = """\
name: W
on: k
defaults: {timeout: 5s, queue: outer, retry: {attempts: 2, backoff: 3s}}
jobs:
  plain:
    steps:
      - {id: s, actionId: "a:b"}
  special:
    queue: own
    defaults: {timeout: 9s, retry: {factor: 3}}
    steps:
      - {id: s, actionId: "a:b"}
      - {id: t, actionId: "a:b", name: T, timeout: 1s, retry: {attempts: 7}}
"""


def test_the_nearest_level_that_says_something_holds() -> None:
    jobs = loaded(LEVELS).jobs
    plain, special = jobs["plain"], jobs["special"]

    assert (plain.queue, special.queue) == ("outer", "own")
    assert [step.timeout.total_seconds() for job in (plain, special) for step in job.steps] == [
        *(5, 9, 1),
    ]


MODES = """\
name: W
on: k
defaults: {timeout: 1s, mode: local}
jobs:
  by-the-file:
    steps: [{id: s, actionId: "a:b"}, {id: t, actionId: "a:b", mode: regular}]
  by-its-defaults:
    defaults: {mode: regular}
    steps: [{id: s, actionId: "a:b"}, {id: t, actionId: "a:b", mode: local}]
  by-itself:
    mode: local
    defaults: {mode: regular}
    steps: [{id: s, actionId: "a:b"}, {id: t, actionId: "a:b", mode: regular}]
"""


def test_a_mode_holds_from_the_nearest_level_and_a_step_s_own_before_all() -> None:
    modes = {name: [step.mode for step in job.steps] for name, job in loaded(MODES).jobs.items()}

    assert modes == {
        "by-the-file": ["local", "regular"],
        "by-its-defaults": ["regular", "local"],
        "by-itself": ["local", "regular"],
    }


def test_a_step_has_no_mode_where_nothing_says_one() -> None:
    """Then its action decides; one that is regular by its file stays so."""
    text = """\
name: W
on: k
jobs: {j: {steps: [{id: s, action: "a:b", timeout: 1s},
                   {id: t, action: "a:b", timeout: 1s, mode: regular}]}}
"""

    assert [step.mode for step in loaded(text).jobs["j"].steps] == [None, "regular"]


@pytest.mark.parametrize("place", ["defaults: {mode: lokal}\n", "# \n"])
def test_a_mode_that_is_none_is_told_once_where_it_stands(place: str) -> None:
    job_mode = "" if "defaults" in place else "mode: lokal, "
    text = (
        f"name: W\non: k\n{place}"
        f"jobs: {{j: {{{job_mode}steps: [{{id: s, actionId: 'a:b', timeout: 1s}}]}}}}\n"
    )

    problem = only_problem(text)

    assert (problem.line, problem.rule) == (3 if "defaults" in place else 4, "invalid-value")
    assert problem.message == "input should be 'regular' or 'local'"


def test_a_retry_is_completed_field_by_field() -> None:
    first, second = loaded(LEVELS).jobs["special"].steps

    assert (first.retry.attempts, first.retry.factor) == (2, 3)
    assert first.retry.backoff == timedelta(seconds=3)
    assert (second.retry.attempts, second.retry.factor) == (7, 3)


def test_a_step_without_a_name_is_called_by_its_id() -> None:
    first, second = loaded(LEVELS).jobs["special"].steps

    assert (first.name, second.name) == ("s", "T")


def test_two_words_for_the_action_are_one_too_many() -> None:
    """`action` is known, so that it is not told as a misspelt one."""
    problem = only_problem(
        "name: W\non: k\n"
        "jobs: {j: {steps: [{id: s, action: 'a:b', actionId: 'a:b', timeout: 1s}]}}\n"
    )

    assert problem.message == (
        "action and actionId are two words for one field: leave one of them out"
    )
    assert (problem.line, problem.column) == (3, 28)


def test_without_any_timeout_a_step_is_incomplete() -> None:
    text = "name: W\non: k\njobs: {j: {steps: [{id: s, actionId: 'a:b'}]}}\n"

    assert problems_of(text) == [(3, 20, "missing-field")]


@pytest.mark.parametrize(
    ("defaults", "column", "rule"),
    [
        ("{timeout: soon}", 21, "invalid-duration"),
        ("{timeout: 5}", 21, "wrong-type"),
        ("{queue: 'a b'}", 19, "invalid-name"),
        ("{tiemout: 1s, timeout: 1s}", 12, "unknown-field"),
        ("[]", 11, "wrong-type"),
    ],
)
def test_what_is_wrong_with_a_default_is_told_where_it_stands(
    defaults: str, column: int, rule: str
) -> None:
    text = (
        f"name: W\non: k\ndefaults: {defaults}\n"
        "jobs: {j: {queue: q, steps: [{id: s, actionId: 'a:b', timeout: 1s}]}}\n"
    )

    assert problems_of(text) == [(3, column, rule)]


def test_a_wrong_default_timeout_is_one_problem_for_all_steps() -> None:
    text = LEVELS.replace("timeout: 5s", "timeout: soon")

    assert problems_of(text) == [(3, 21, "invalid-duration")]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("queue: outer", "queue: a b", (3, 32, "invalid-name")),
        ("attempts: 2", "attempts: many", (3, 57, "wrong-type")),
        ("attempts: 2", "atempts: 2", (3, 47, "unknown-field")),
        ("backoff: 3s", "backoff: 3h", (3, 39, "backoff-order")),
        ("retry: {attempts: 2, backoff: 3s}", "retry: 5", (3, 46, "wrong-type")),
    ],
)
def test_a_wrong_default_is_one_problem_however_many_steps_have_it(
    old: str, new: str, problem: tuple[int, int, str]
) -> None:
    """It is told where it stands, and not where it would hold."""
    assert problems_of(LEVELS.replace(old, new)) == [problem]


@pytest.mark.parametrize(
    "data",
    [
        {"jobs": {"j": {"steps": [{"id": "s"}]}}, "defaults": {"timeout": "1s", "retry": {}}},
        {"jobs": {"j": {"steps": ["s"]}}, "defaults": {"timeout": "1s"}},
        {"jobs": {"j": []}, "defaults": {"timeout": "1s"}},
        {"jobs": [], "defaults": {"timeout": "1s"}},
        {"defaults": 5, "jobs": {"j": {"steps": [{"retry": 5}], "defaults": "x"}}},
        [],
        None,
    ],
)
def test_the_given_data_stay_as_they_are(data: Any) -> None:
    before = copy.deepcopy(data)

    with_defaults(data)

    assert data == before


def test_action_is_another_word_for_action_id() -> None:
    text = LEVELS.replace("actionId", "action")

    assert loaded(text).jobs["plain"].steps[0].action_id == "a:b"


def test_a_wrong_action_is_told_where_it_stands() -> None:
    text = LEVELS.replace('id: s, actionId: "a:b"}', "id: s, action: ab}", 1)

    assert problems_of(text) == [(7, 25, "invalid-action-id")]


def test_githubs_schedule_is_a_cron_trigger() -> None:
    schedule = "[{cron: '5 4 * * *', timezone: Europe/Berlin, overlap: allow, jitter: 5s}]"
    text = LEVELS.replace("on: k", f"on: {{schedule: {schedule}, cron: {{schedule: '@daily'}}}}")

    crons = loaded(text).on.crons

    assert [(cron.schedule, cron.timezone) for cron in crons] == [
        ("@daily", "UTC"),
        ("5 4 * * *", "Europe/Berlin"),
    ]
    assert (crons[1].overlap, crons[1].jitter) == ("allow", timedelta(seconds=5))


def test_a_cron_trigger_skips_overlaps_and_makes_up_for_a_night() -> None:
    (cron,) = loaded(LEVELS.replace("on: k", "on: {cron: {schedule: '@daily'}}")).on.crons

    assert (cron.overlap, cron.catch_up, cron.jitter) == ("skip", timedelta(hours=24), None)


def test_needs_is_reserved_and_says_what_to_do_instead() -> None:
    problem = only_problem(LEVELS.replace("    queue: own", "    queue: own\n    needs: [plain]"))

    assert (problem.line, problem.column, problem.rule) == (10, 5, "reserved-field")
    assert "into one job" in problem.message
