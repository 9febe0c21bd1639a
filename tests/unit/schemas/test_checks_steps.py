from __future__ import annotations

from typing import Any

import pytest

from hatchet_schemas.checks.steps import early_condition_findings, step_findings
from hatchet_schemas.conditions import condition_of
from hatchet_schemas.problems import Finding
from hatchet_schemas.workflows import Job


def job_of(*steps: str | dict[str, Any] | None, **fields: object) -> Job:
    """Return a job with a step for each, given by its condition or its fields."""
    items: list[dict[str, Any]] = []
    for index, step in enumerate(steps):
        given = step if isinstance(step, dict) else {} if step is None else {"if": step}
        item = {"name": "S", "id": f"s{index}", "actionId": "a:b", "timeout": "15s"}
        items.append({**item, **given})
    return Job.model_validate({"steps": items, **fields})


def found(job: Job) -> list[Finding]:
    """Return what is told of it."""
    return list(step_findings(job, ("jobs", "j")))


TOLERATED = {"continue-on-error": True}


@pytest.mark.parametrize(
    ("steps", "unreachable", "reason"),
    [
        (["failure()"], 0, "is the first step of its job"),
        (["{{ failure() }}"], 0, "is the first step"),
        (["failure() and .a"], 0, "is the first step"),
        ([".a and failure()"], 0, "is the first step"),
        (["failure() if true else false"], 0, "is the first step"),
        ([TOLERATED, "failure()"], 1, "no step before it can fail the job"),
        ([TOLERATED, TOLERATED, "failure() and .a"], 2, "no step before it can fail the job"),
        (["false"], 0, "is false whatever happens"),
        (["{{ false }}"], 0, "is false whatever happens"),
        (["not true"], 0, "is false whatever happens"),
        (["1 == 2"], 0, "is false whatever happens"),
        (["'a' in ['b']"], 0, "is false whatever happens"),
        (["false or 'a' not in ['a', .b]"], 0, "is false whatever happens"),
        (["[]"], 0, "is false whatever happens"),
        (["2 <= 1"], 0, "is false whatever happens"),
        (["''"], 0, "is false whatever happens"),
        (["none"], 0, "is false whatever happens"),
        ([".a and false"], 0, "is false whatever happens"),
        (["false and .a"], 0, "is false whatever happens"),
        ([None, "success() and failure()"], 1, "is false whatever happens"),
        ([None, "failure() and cancelled()"], 1, "is false whatever happens"),
        ([None, "not always()"], 1, "is false whatever happens"),
        (["false", "failure()"], 0, "is false whatever happens"),
    ],
)
def test_a_step_that_never_runs_is_told(
    steps: list[str | dict[str, Any] | None], unreachable: int, reason: str
) -> None:
    finding = found(job_of(*steps))[0]

    assert finding.rule == "unreachable-step"
    assert finding.loc == ("jobs", "j", "steps", unreachable, "if")
    assert reason in finding.message


def test_a_step_that_never_runs_cannot_fail_either() -> None:
    assert [finding.loc[3] for finding in found(job_of("false", "failure()"))] == [0, 1]


def test_a_condition_that_cannot_be_decided_fails_its_step() -> None:
    """Of ``.a and false`` the field may be missing."""
    assert [finding.loc[3] for finding in found(job_of(".a and false", "failure()"))] == [0]


@pytest.mark.parametrize(
    "steps",
    [
        [None, "failure()"],
        [None, TOLERATED, "failure()"],
        [TOLERATED, None, "failure() and .a"],
        [".a", "failure()"],
        ["success()"],
        ["always()"],
        ["cancelled()"],
        ["not success()"],
        ["not failure()"],
        ["failure() or cancelled()"],
        ["failure() or .a"],
        ["failure() == false"],
        [".a"],
        ["true"],
        [".a or false"],
        [".a == false"],
        ["'a' in ['a']"],
        ["'a' in [.b] or false"],
        ["'a' not in ['b']"],
        ["'a' not in ['b', .a]"],
        ["1 == '1'"],
        ["[.a]"],
        ["1 / 0"],
        [".a | default(false)"],
        ["false | default(true)"],
        ["'' | default('x', true)"],
        ["success() if .a else failure()"],
        ["'failure()' == .a"],
        [None, "success() or failure()"],
    ],
)
def test_a_step_that_may_run_is_let_pass(steps: list[str | dict[str, Any] | None]) -> None:
    assert found(job_of(*steps)) == []


@pytest.mark.parametrize("condition", ["false", "{{ 1 > 2 }}", "not true", ".a and false", "0"])
def test_a_trigger_or_a_job_whose_condition_never_holds_is_told(condition: str) -> None:
    [finding] = early_condition_findings(condition_of(condition), ("x",), "job")

    assert (finding.rule, finding.loc) == ("never-true", ("x",))
    assert finding.message.endswith("this job runs no step")


@pytest.mark.parametrize("condition", ["true", ".a", ".a == 'false'", "not .a", "'false'"])
def test_a_trigger_or_a_job_whose_condition_may_hold_is_let_pass(condition: str) -> None:
    assert list(early_condition_findings(condition_of(condition), ("x",), "trigger")) == []


@pytest.mark.parametrize(
    ("job", "steps", "told"),
    [
        ("10s", ["15s"], [0]),
        ("15s", ["15s"], []),
        ("1m", ["15s", "90s", "15s", "2m"], [1, 3]),
        (None, ["9h"], []),
    ],
)
def test_a_step_has_no_more_time_than_its_job(
    job: str | None, steps: list[str], told: list[int]
) -> None:
    fields: dict[str, Any] = {} if job is None else {"timeout": job}
    findings = found(job_of(*({"timeout": timeout} for timeout in steps), **fields))

    assert [(finding.rule, finding.loc) for finding in findings] == [
        ("timeout-order", ("jobs", "j", "steps", index, "timeout")) for index in told
    ]


def test_a_timeout_that_is_too_long_is_told_in_numbers() -> None:
    [finding] = found(job_of({"timeout": "90s"}, timeout="1m"))

    assert finding.message == (
        "the timeout of step 's0', 1m30s, is longer than that of the whole job, 1m, "
        "which ends it first"
    )
