from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hatchet_worker import NonRetryable, Retry
from hatchet_worker.masking import Masker
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    provider_error,
    retry_after,
)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (400, {}, Refused),
        (401, {}, Refused),
        (404, {}, Refused),
        (422, {"Retry-After": "5"}, Refused),
        (302, {}, Refused),
        (408, {}, ProviderFailed),
        (425, {}, ProviderFailed),
        (429, {}, Throttled),
        (429, {"Retry-After": "5"}, Throttled),
        (500, {}, ProviderFailed),
        (503, {}, ProviderFailed),
        (503, {"retry-after": "5"}, Throttled),
        (599, {}, ProviderFailed),
    ],
)
def test_a_status_is_sorted(
    status: int, headers: dict[str, str], expected: type[ProviderError]
) -> None:
    error = provider_error("acme", status, "no", code="E1", headers=headers)

    assert type(error) is expected
    assert str(error) == f"acme: {status} E1: no"
    assert (error.provider, error.status, error.code) == ("acme", status, "E1")


def test_each_class_says_whether_to_try_again() -> None:
    assert issubclass(Refused, NonRetryable)
    assert issubclass(Throttled, Retry)
    assert not issubclass(ProviderFailed, (NonRetryable, Retry))


def test_the_provider_says_when() -> None:
    error = provider_error("acme", 429, "slow down", headers={"Retry-After": "7"})

    assert isinstance(error, Throttled)
    assert error.after == timedelta(seconds=7)


def test_a_long_message_is_cut() -> None:
    assert len(str(provider_error("acme", 500, "x" * 10_000))) < 600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("soon", None), ("nan", None), ("-3", 0.0), ("12", 12.0), ("9e99", 86_400.0)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}) == seconds


def test_retry_after_may_be_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)

    seconds = retry_after({"Retry-After": format_datetime(moment, usegmt=True)})

    assert seconds is not None
    assert 90 < seconds <= 100


def test_a_secret_is_masked_before_a_long_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a secret is no known secret any more."""
    masker = Masker()
    masker.remember("TOKEN", "tok_ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    monkeypatch.setattr("hatchet_worker.provider_errors.SECRETS_IN_USE", masker)

    error = provider_error("acme", 500, "q" * 490 + "tok_ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    assert str(error).endswith("q***")
