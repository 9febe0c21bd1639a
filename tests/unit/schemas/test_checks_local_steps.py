"""A local step must be done within a workflow task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hatchet_schemas.checks.local_steps import local_step_findings
from hatchet_schemas.workflows import RetryPolicy, Step


def rules_of(**fields: Any) -> list[tuple[str, str]]:
    """Return where a step with these fields breaks which rules."""
    step = {"name": "S", "id": "s", "actionId": "a:b", "timeout": "5s", **fields}
    return [
        (str(finding.loc[-1]), finding.rule)
        for finding in local_step_findings(Step.model_validate(step), ("steps", 0))
    ]


@pytest.mark.parametrize("timeout", ["1ms", "5s"])
def test_a_local_step_with_a_short_timeout_and_the_default_retry_is_fine(timeout: str) -> None:
    assert rules_of(mode="local", timeout=timeout) == []


@pytest.mark.parametrize("timeout", ["5001ms", "1h"])
def test_a_longer_timeout_is_for_regular_steps(timeout: str) -> None:
    assert rules_of(mode="local", timeout=timeout) == [("timeout", "local-timeout")]
    assert rules_of(mode="regular", timeout=timeout) == []
    assert rules_of(timeout=timeout) == []


def test_long_waits_are_for_regular_steps() -> None:
    retry = {"attempts": 3, "backoff": "6s"}

    assert rules_of(mode="local", retry=retry) == [("retry", "local-retry")]
    assert rules_of(mode="regular", retry=retry) == []
    assert rules_of(retry=retry) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"timeout": "5001ms"},
        {"retry": {"attempts": 2, "backoff": "10s"}},
        {"retry": {"attempts": 2, "backoff": "10001ms"}},
    ],
)
def test_a_step_fits_where_a_local_one_would_break_no_rule(fields: dict[str, Any]) -> None:
    step = {"name": "S", "id": "s", "actionId": "a:b", "timeout": "5s", **fields}

    assert Step.model_validate(step).fits_local is (rules_of(mode="local", **fields) == [])


@pytest.mark.parametrize(
    ("retry", "wait"),
    [
        ({}, "8s"),
        ({"attempts": 1, "backoff": "50s"}, "0s"),
        ({"attempts": 2, "backoff": "50s"}, "50s"),
        ({"attempts": 3, "backoff": "4s", "factor": 2.5}, "10s"),
        ({"attempts": 1000, "backoff": "1s", "factor": 1}, "1s"),
        ({"attempts": 1000, "factor": 100, "max-backoff": "7s"}, "7s"),
    ],
)
def test_the_longest_wait_is_the_last_one_of_the_policy(retry: dict[str, Any], wait: str) -> None:
    policy = RetryPolicy.model_validate(retry)

    assert policy.longest_wait == timedelta(seconds=float(wait.removesuffix("s")))
