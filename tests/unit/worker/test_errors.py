"""The errors of the worker."""

import pytest

from hatchet_worker import (
    IntegrationError,
    InvalidInput,
    NamespaceNotFound,
    NonRetryable,
    TemporalUnreachable,
    UnknownAction,
    WorkerError,
)


def test_an_error_without_a_message_says_what_its_class_means() -> None:
    """The docstring is the default message."""
    assert str(IntegrationError()) == "An integration is not written as one must be."


def test_a_message_of_one_s_own_is_kept() -> None:
    """Users raise NonRetryable with their own words."""
    assert str(NonRetryable("the card was stolen")) == "the card was stolen"


@pytest.mark.parametrize("error", [InvalidInput, UnknownAction])
def test_what_no_retry_can_mend_is_not_retried(error: type[WorkerError]) -> None:
    """The same data would fail in the same way."""
    assert issubclass(error, NonRetryable)


def test_errors_carry_their_data_and_say_what_to_do() -> None:
    """For programs the fields, for people the message."""
    unreachable = TemporalUnreachable("localhost:7233", "nothing is listening there")
    missing = NamespaceNotFound("localhost:7233", "orders")

    assert unreachable.address == "localhost:7233"
    assert "set TEMPORAL_ADDRESS" in str(unreachable)
    assert missing.namespace == "orders"
    assert "temporal operator namespace create" in str(missing)
