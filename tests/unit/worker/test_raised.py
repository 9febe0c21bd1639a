"""What Temporal is told of an exception."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from hatchet_worker import InvalidInput, NonRetryable, Retry
from hatchet_worker.masking import Masker
from hatchet_worker.raised import as_failure

SECRET = "hunter2"


class CardStolen(NonRetryable):
    """A user's own reason."""


def caught(raise_it: Any) -> Exception:
    """Return what a function raises, with its traceback."""
    try:
        raise_it()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError


def masker() -> Masker:
    """Return a masker that knows the secret."""
    masker = Masker()
    masker.remember("PASSWORD", SECRET)
    return masker


def told(error: BaseException, **options: Any) -> Failure:
    """Return what is sent to Temporal."""
    failure = Failure()
    converter = DataConverter.default
    converter.failure_converter.to_failure(
        as_failure(error, masker(), **options), converter.payload_converter, failure
    )
    return failure


def nested() -> None:
    """Raise an error with a cause, which has a context."""
    try:
        try:
            dict[str, str]()[SECRET]
        except KeyError:
            raise OSError(f"as {SECRET}")  # noqa: B904 - the context is what is tested
    except OSError as error:
        raise ValueError(f"not {SECRET}") from error


def test_the_whole_chain_is_masked_and_keeps_types_and_tracebacks() -> None:
    failure = told(caught(nested))

    assert SECRET not in str(failure)
    assert (failure.message, failure.application_failure_info.type) == ("not ***", "ValueError")
    assert (failure.cause.message, failure.cause.application_failure_info.type) == (
        "as ***",
        "OSError",
    )
    assert failure.cause.cause.message == "'***'"
    assert failure.cause.cause.application_failure_info.type == "KeyError"
    assert not failure.cause.cause.HasField("cause")
    assert "in nested" in failure.stack_trace
    assert "in nested" in failure.cause.cause.stack_trace
    assert not failure.application_failure_info.non_retryable


def test_a_context_that_was_suppressed_stays_so() -> None:
    def suppress() -> None:
        try:
            dict[str, str]()[SECRET]
        except KeyError:
            raise ValueError("no") from None

    assert not told(caught(suppress)).HasField("cause")


def test_what_is_raised_carries_nothing_of_the_original() -> None:
    """A log that walks through contexts would find the secret there."""
    failure = as_failure(caught(nested), masker())
    seen: list[BaseException | None] = [failure]
    while seen[-1] is not None:
        assert SECRET not in repr(seen[-1])
        assert seen[-1].__context__ is None
        seen.append(seen[-1].__cause__)

    assert len(seen) == 4


def test_an_endless_chain_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    long = error = ValueError("0")
    for number in range(500):
        error.__cause__ = error = ValueError(str(number))

    assert told(first).cause.message == "second"
    assert "19" in str(told(long))


def test_an_application_error_keeps_all_that_it_says() -> None:
    failure = told(
        ApplicationError(
            f"a {SECRET}",
            {SECRET: [SECRET]},
            type="Mine",
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    )

    info = failure.application_failure_info
    assert (failure.message, info.type, info.non_retryable) == ("a ***", "Mine", True)
    assert info.details.payloads[0].data == b'{"***":["***"]}'
    assert int(info.category) == ApplicationErrorCategory.BENIGN.value


def test_details_that_cannot_be_sent_become_texts() -> None:
    class Client:
        def __str__(self) -> str:
            return f"Client({SECRET})"

    info = told(ApplicationError("a", Client())).application_failure_info

    assert info.details.payloads[0].data == b'"Client(***)"'


def test_notes_are_masked() -> None:
    error = ValueError("no")
    error.add_note(f"while {SECRET}")

    assert as_failure(error, masker()).__notes__ == ["while ***"]


def test_text_that_no_message_can_hold_is_sent_nevertheless() -> None:
    assert told(ValueError("file \udcff is missing")).message == "file \\udcff is missing"


@pytest.mark.parametrize("error", [CardStolen("stolen"), InvalidInput("no")])
def test_what_no_retry_can_mend_is_final(error: NonRetryable) -> None:
    failure = as_failure(error, masker())

    assert (failure.non_retryable, failure.type) == (True, type(error).__name__)


@pytest.mark.parametrize(
    ("after", "delay"),
    [
        (30, timedelta(seconds=30)),
        (0.5, timedelta(milliseconds=500)),
        (timedelta(minutes=2), timedelta(minutes=2)),
        (0, timedelta(milliseconds=1)),
        (-5, timedelta(milliseconds=1)),
        (None, None),
    ],
)
def test_an_action_says_when_to_come_back(after: Any, delay: timedelta | None) -> None:
    """A delay of nothing would be no wish at all for Temporal."""
    failure = as_failure(Retry("slow down", after=after), masker())

    assert (failure.type, failure.message) == ("Retry", "slow down")
    assert failure.next_retry_delay == delay
    assert not failure.non_retryable


def test_temporal_s_own_delay_is_kept() -> None:
    error = ApplicationError("slow down", next_retry_delay=timedelta(seconds=7))

    assert as_failure(error, masker()).next_retry_delay == timedelta(seconds=7)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("no route"),
        Retry("slow down", after=5),
        ApplicationError("slow down", next_retry_delay=timedelta(seconds=7)),
    ],
)
def test_at_most_once_makes_each_failure_final_and_says_so(error: Exception) -> None:
    failure = as_failure(error, masker(), at_most_once=True)

    assert failure.non_retryable
    assert failure.next_retry_delay is None
    assert failure.message.endswith(" (the action is at-most-once: it is not tried again)")


def test_at_most_once_adds_nothing_to_what_is_final_anyway() -> None:
    assert as_failure(CardStolen("stolen"), masker(), at_most_once=True).message == "stolen"


class Unprintable(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        """Fail, too."""
        raise TypeError("no text")


def test_an_error_that_cannot_be_told_is_told_by_its_name() -> None:
    assert told(Unprintable()).message == "Unprintable"


@pytest.mark.parametrize(
    "detail", [b"\xff", float, {"a": object()}], ids=["bytes", "class", "object"]
)
def test_details_that_are_no_json_become_texts(detail: object) -> None:
    """Else the failure would be told as one that may be tried again."""
    declined = ApplicationError("declined", detail, type="Declined", non_retryable=True)

    failure = told(declined)

    assert (failure.message, failure.application_failure_info.type) == ("declined", "Declined")
    assert failure.application_failure_info.non_retryable


def test_details_that_hold_themselves_become_texts() -> None:
    detail: list[object] = []
    detail.append(detail)

    assert told(ApplicationError("declined", detail, non_retryable=True)).message == "declined"


def test_a_group_of_one_is_that_one() -> None:
    """As a TaskGroup raises it around what one of its tasks raised."""
    group = ExceptionGroup("unhandled errors", [ExceptionGroup("again", [CardStolen("no")])])

    failure = told(group)

    assert (failure.message, failure.application_failure_info.type) == ("no", "CardStolen")
    assert failure.application_failure_info.non_retryable


def test_a_group_of_several_tells_each_and_is_tried_again_as_the_policy_says() -> None:
    group = ExceptionGroup("two failed", [ValueError(f"not {SECRET}"), CardStolen("no")])

    failure = told(group)

    assert failure.message == ("two failed (2 sub-exceptions): ValueError: not ***; CardStolen: no")
    assert not failure.application_failure_info.non_retryable
