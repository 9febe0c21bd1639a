from __future__ import annotations

import pytest

from hatchet_worker.integrations._extras import MissingExtra, extra
from hatchet_worker.integrations._options import option


@pytest.mark.parametrize(
    ("given", "environment", "chosen"),
    [
        ("given", "set", "given"),
        ("", "set", ""),
        (None, "set", "set"),
        (None, "", "default"),
        (None, None, "default"),
    ],
)
def test_an_argument_wins_over_the_environment_and_that_over_the_default(
    given: str | None, environment: str | None, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HATCHET_POSTMARK_SENDER", raising=False)
    if environment is not None:
        monkeypatch.setenv("HATCHET_POSTMARK_SENDER", environment)

    assert option(given, "HATCHET_POSTMARK_SENDER", "default") == chosen


def test_an_option_without_a_default_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HATCHET_POSTMARK_SENDER", raising=False)

    assert option(None, "HATCHET_POSTMARK_SENDER") is None


def test_a_package_that_is_not_installed_is_told_with_its_extra() -> None:
    with (
        pytest.raises(MissingExtra, match=r"pip install 'hatchet-workflows\[slack\]'"),
        extra("slack"),
    ):
        import no_such_sdk  # type: ignore[import-not-found]  # noqa: F401, PLC0415
