from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hatchet_schemas import (
    ActionId,
    Event,
    EventHeader,
    Job,
    JobInput,
    ScheduledJobInput,
    SecretRef,
    SecretText,
    StepInput,
)

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
JSON_OBJECTS = st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4)
DEFINITION = Job.model_validate(
    {
        "queue": "internal",
        "timeout": "1m",
        "steps": [
            {
                "name": "Step 1",
                "id": "step-1",
                "actionId": "slack:create-channel",
                "timeout": "15s",
                "retry": {"attempts": 2, "backoff": "250ms", "factor": 1, "max-backoff": "1m"},
                "with": {"email": "{{ .user.email }}", "list": [1, None, {"a": True}]},
            },
            {"name": "Step 2", "id": "step-2", "actionId": "a:b:c", "timeout": "1h"},
        ],
    }
)


@given(
    JSON_OBJECTS,
    st.text(max_size=20),
    st.none() | st.text(max_size=20),
    st.datetimes(timezones=st.just(UTC)),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_job_input_goes_through_json_unchanged(
    data: dict[str, Any], event_id: str, source: str | None, time: datetime
) -> None:
    event = Event(id=event_id, key="k", time=time, source=source, data=data)
    sent = JobInput(workflow="W", job="j", event=event, definition=DEFINITION)
    received = JobInput.model_validate_json(sent.model_dump_json())
    assert received == sent
    assert received.model_dump_json() == sent.model_dump_json()


def test_a_scheduled_job_is_given_the_time_as_its_event() -> None:
    scheduled = ScheduledJobInput(
        workflow="W", job="j", schedule="hatchet/W", vars={"a": 1}, definition=DEFINITION
    )
    received = ScheduledJobInput.model_validate_json(scheduled.model_dump_json())
    due = datetime(2026, 3, 29, 3, 30, tzinfo=ZoneInfo("Europe/Berlin"))

    made = received.at(due)

    assert made.event == Event(
        id="hatchet/W@2026-03-29T01:30:00Z",
        key="cron",
        time=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        data={},
    )
    assert (made.workflow, made.job, made.vars, made.definition) == ("W", "j", {"a": 1}, DEFINITION)


def test_all_jobs_of_one_time_have_one_event() -> None:
    one, other = (
        ScheduledJobInput(workflow="W", job=job, schedule="hatchet/W", definition=DEFINITION)
        for job in ("a", "b")
    )
    due, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 1, tzinfo=UTC)

    assert one.at(due).event == other.at(due).event
    assert one.at(due).event.id != one.at(later).event.id


def test_the_two_inputs_are_never_taken_for_each_other() -> None:
    event = Event(id="e", key="k", time=datetime.now(UTC), data={})
    by_event = JobInput(workflow="W", job="j", event=event, definition=DEFINITION)
    by_clock = ScheduledJobInput(workflow="W", job="j", schedule="d/W", definition=DEFINITION)

    with pytest.raises(ValidationError):
        JobInput.model_validate_json(by_clock.model_dump_json())
    with pytest.raises(ValidationError):
        ScheduledJobInput.model_validate_json(by_event.model_dump_json())


@given(JSON_OBJECTS)
@settings(max_examples=50)
def test_a_step_input_goes_through_json_unchanged(data: dict[str, Any]) -> None:
    sent = StepInput(
        workflow="W",
        job="j",
        step="s",
        action_id=ActionId("a:b"),
        event=EventHeader(id="e", key="k", time=datetime(2026, 1, 2, tzinfo=UTC)),
        with_=data,
        secrets=(SecretText(at=("a", 0), parts=("Bearer ", SecretRef(secret="TOKEN"))),),
    )
    assert StepInput.model_validate_json(sent.model_dump_json()) == sent


def test_the_definition_is_named_on_the_wire_as_in_the_file() -> None:
    steps = json.loads(DEFINITION.model_dump_json())["steps"]
    assert steps[0] == {
        "name": "Step 1",
        "id": "step-1",
        "actionId": "slack:create-channel",
        "timeout": "15s",
        "retry": {"attempts": 2, "backoff": "250ms", "factor": 1.0, "max-backoff": "1m"},
        "with": {"email": "{{ .user.email }}", "list": [1, None, {"a": True}]},
    }


def test_a_mode_is_on_the_wire_only_where_the_file_says_it() -> None:
    """So that older workers can read the jobs that have none, and that others keep to regular."""
    step = {"name": "S", "id": "s", "actionId": "a:b", "timeout": "1s"}
    steps = [
        step,
        {**step, "id": "t", "mode": "local"},
        {**step, "id": "u", "mode": "regular"},
    ]
    job = Job.model_validate({"steps": steps, "defaults": {"timeout": "1s"}})
    local = Job.model_validate({"steps": steps, "mode": "local", "defaults": {"mode": "local"}})

    written = json.loads(job.model_dump_json())
    assert "mode" not in {*written, *written["defaults"], *written["steps"][0]}
    assert [step["mode"] for step in written["steps"][1:]] == ["local", "regular"]
    assert Job.model_validate_json(job.model_dump_json()) == job
    assert Job.model_validate_json(local.model_dump_json()) == local


def test_a_format_from_the_future_is_refused() -> None:
    event = Event(id="e", key="k", time=datetime.now(UTC), data={})
    sent = JobInput(workflow="W", job="j", event=event, definition=DEFINITION)
    future = sent.model_dump_json().replace('"format":1', '"format":2')
    with pytest.raises(ValidationError, match="format"):
        JobInput.model_validate_json(future)


def test_an_event_needs_a_time_with_its_zone() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Event(id="e", key="k", time=datetime(2026, 1, 1), data={})  # noqa: DTZ001


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DEFINITION.queue = "other"  # type: ignore[misc]


def test_a_policy_is_hashable_and_what_holds_maps_is_not() -> None:
    retry = DEFINITION.steps[0].retry
    assert hash(retry) == hash(retry.model_copy())
    with pytest.raises(TypeError, match="unhashable"):
        hash(DEFINITION)


def test_no_two_jobs_share_a_default_map() -> None:
    step = {"name": "S", "id": "s", "actionId": "a:b", "timeout": "1s"}
    one, other = (Job.model_validate({"steps": [step]}) for _ in range(2))
    assert one.steps[0].with_ == {}
    assert one.steps[0].with_ is not other.steps[0].with_
