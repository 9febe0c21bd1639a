"""The sentence that tells why a job failed."""

import json
from typing import Any, Final

import pytest
from pydantic import ValidationError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    RetryState,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from hatchet_schemas import JobInput, Step, TemplateError
from hatchet_worker.errors import UnreadableJob
from hatchet_worker.failures import (
    LOST,
    Place,
    invalid_job,
    is_lost,
    oversized_input,
    step_failure,
    template_failure,
)

PLACE = Place("Post User Sign Up", "greet-user", "greetUser", "postmark:send")
WHERE = "workflow 'Post User Sign Up', job 'greet-user', step 'greetUser', action 'postmark:send': "
STEP = Step.model_validate(
    {
        "name": "Greet",
        "id": "greetUser",
        "actionId": "postmark:send",
        "timeout": "1m30s",
        "retry": {"attempts": 3},
    }
)


def _ended_by(
    cause: BaseException | None,
    retry_state: RetryState = RetryState.MAXIMUM_ATTEMPTS_REACHED,
) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="worker",
        activity_type="postmark:send",
        activity_id="greetUser",
        retry_state=retry_state,
    )
    error.__cause__ = cause
    return error


def _timeout(kind: TimeoutType) -> TemporalTimeoutError:
    return TemporalTimeoutError("timed out", type=kind, last_heartbeat_details=[])


@pytest.mark.parametrize(
    ("error", "failure_type", "message"),
    [
        (
            _ended_by(ApplicationError("mailbox full", type="MailboxError")),
            "StepFailed",
            "MailboxError: mailbox full (3 attempts)",
        ),
        (
            _ended_by(
                ApplicationError("no such template", type="NonRetryable", non_retryable=True),
                RetryState.NON_RETRYABLE_FAILURE,
            ),
            "StepFailed",
            "NonRetryable: no such template",
        ),
        (
            _ended_by(
                ApplicationError("unknown action 'x:y'", type="UnknownAction", non_retryable=True)
            ),
            "UnknownAction",
            "unknown action 'x:y'",
        ),
        (
            _ended_by(ApplicationError("email: missing", type="InvalidInput", non_retryable=True)),
            "InvalidInput",
            "email: missing",
        ),
        (
            _ended_by(ApplicationError("mine", type="UnknownAction")),
            "StepFailed",
            "UnknownAction: mine (3 attempts)",
        ),
        (
            _ended_by(_timeout(TimeoutType.START_TO_CLOSE)),
            "StepTimedOut",
            "not done within its timeout of 1m30s (3 attempts)",
        ),
        (
            _ended_by(ApplicationError("late", type="StepTimedOut"), RetryState.IN_PROGRESS),
            "StepTimedOut",
            "not done within its timeout of 1m30s",
        ),
        (
            _ended_by(ApplicationError("busy", type="MailboxError"), RetryState.TIMEOUT),
            "StepFailed",
            "MailboxError: busy (the next attempt would come after the job's timeout)",
        ),
        (_ended_by(None), "StepFailed", "no reason given (3 attempts)"),
    ],
)
def test_a_failed_step_is_told_in_one_sentence(
    error: ActivityError, failure_type: str, message: str
) -> None:
    """It is what people see in Temporal's list of failures."""
    failure = step_failure(PLACE, STEP, error)

    assert failure.message == WHERE + message
    assert failure.type == failure_type
    assert failure.non_retryable


@pytest.mark.parametrize(
    ("error", "failure_type", "message"),
    [
        (
            ApplicationError("mailbox full", type="MailboxError"),
            "StepFailed",
            "MailboxError: mailbox full (3 attempts)",
        ),
        (
            ApplicationError("no such template", type="NonRetryable", non_retryable=True),
            "StepFailed",
            "NonRetryable: no such template",
        ),
        (
            ApplicationError("at-most-once", type="UnsuitableMode", non_retryable=True),
            "UnsuitableMode",
            "at-most-once",
        ),
        (
            _ended_by(_timeout(TimeoutType.START_TO_CLOSE), RetryState.CANCEL_REQUESTED),
            "StepTimedOut",
            "not done within its timeout of 1m30s (3 attempts)",
        ),
        (
            _timeout(TimeoutType.START_TO_CLOSE),
            "StepTimedOut",
            "not done within its timeout of 1m30s (3 attempts)",
        ),
    ],
)
def test_a_local_step_s_failure_is_told_likewise(
    error: FailureError, failure_type: str, message: str
) -> None:
    """Temporal hands it on as it was raised, says nothing of attempts, and replays it otherwise."""
    failure = step_failure(PLACE, STEP.model_copy(update={"mode": "local"}), error)

    assert failure.message == WHERE + message
    assert failure.type == failure_type


def test_only_a_step_that_ended_with_its_worker_is_lost() -> None:
    assert is_lost(ApplicationError("stopped", type=LOST))
    assert not is_lost(ApplicationError("stopped", type="WorkerStopped"))
    assert not is_lost(_ended_by(ApplicationError("stopped", type=LOST)))


def test_a_lost_worker_is_told_apart_from_a_slow_action() -> None:
    """The remedy is another one."""
    failure = step_failure(PLACE, STEP, _ended_by(_timeout(TimeoutType.HEARTBEAT)))

    assert failure.type == "StepTimedOut"
    assert "its worker was lost" in failure.message


def test_an_endless_message_is_cut() -> None:
    """The whole of it stays in the cause."""
    error = _ended_by(ApplicationError("x" * 1_000_000, type="Chatty"))

    assert len(step_failure(PLACE, STEP, error).message) < 3_000


def test_the_place_can_be_read_field_by_field() -> None:
    """Programs need not take the sentence apart."""
    failure = template_failure(PLACE, TemplateError("{{ .x }}", "no field 'x'", ("with", "to")))

    assert failure.type == "TemplateError"
    assert failure.message == WHERE + "with.to: '{{ .x }}': no field 'x'"
    assert failure.details == (
        {
            "workflow": "Post User Sign Up",
            "job": "greet-user",
            "step": "greetUser",
            "action": "postmark:send",
        },
    )


def test_an_input_that_would_not_fit_is_told_with_its_size() -> None:
    """Temporal would fail the workflow task again and again."""
    assert oversized_input(PLACE, 2_000_000, 1_900_000).message == (
        WHERE + "the rendered `with` has 2,000,000 bytes as JSON, at most 1,900,000 fit"
    )


JOB: Final[dict[str, Any]] = {
    "workflow": "w",
    "job": "j",
    "event": {"id": "1", "key": "a:b", "time": "2026-01-31T00:00:00Z", "data": {"pin": "hunter2"}},
    "definition": {"steps": [{"name": "s", "id": "s", "action": "a:b", "timeout": "1s"}]},
}
DEFINITION: Final[dict[str, Any]] = JOB["definition"]


def _told_of(data: Any) -> ApplicationError | UnreadableJob:
    with pytest.raises(ValidationError) as caught:
        JobInput.model_validate_json(json.dumps(data))
    return invalid_job(caught.value, "greet-user")


@pytest.mark.parametrize(
    "data",
    [
        {},
        "hunter2",
        {"job": 7},
        {"format": 0, "workflow": "w"},
        {"format": True, "workflow": "w"},
        {**JOB, "format": "2"},
        {**JOB, "event": {}},
        {**JOB, "event": {}, "priority": 3},
        {**JOB, "definition": None},
        {**JOB, "definition": []},
        {field: JOB[field] for field in ("workflow", "job", "event")},
    ],
)
def test_an_input_that_is_no_job_is_told_without_its_values(data: Any) -> None:
    """Event data may be secret."""
    failure = _told_of(data)

    assert isinstance(failure, ApplicationError)
    assert failure.type == "InvalidJob"
    assert failure.non_retryable
    assert failure.message.startswith("job 'greet-user': its input is not one")
    assert "hunter2" not in failure.message


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"format": 3, "event": {"of": "hunter2"}}, "format: Input should be 1"),
        ({**JOB, "priority": 3}, "priority: Extra inputs"),
        ({**JOB, "event": JOB["event"] | {"tenant": "hunter2"}}, "event.tenant: Extra inputs"),
        ({**JOB, "definition": {**DEFINITION, "matrix": {}}}, "definition.matrix: Extra inputs"),
        ({**JOB, "definition": {"parallel": []}}, "definition.steps: Field required"),
    ],
)
def test_an_input_of_another_release_waits_for_a_worker_that_can_read_it(
    data: Any, finding: str
) -> None:
    """What is no Temporal failure fails the workflow task, and not the job."""
    waiting = _told_of(data)

    assert isinstance(waiting, UnreadableJob)
    assert str(waiting).startswith("job 'greet-user': its input is of another release of Hatchet")
    assert finding in str(waiting)
    assert "hunter2" not in str(waiting)
