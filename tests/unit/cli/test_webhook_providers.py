"""Which providers are served, and where their secrets come from."""

from pathlib import Path

import pytest

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.webhook_providers import find_secret, providers_named, webhook_failures


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that describes two providers."""
    path = tmp_path / "webhooks.yaml"
    path.write_text("shop: {signature-header: X-Signature}\nstripe-eu: {preset: stripe}\n")
    return path


def test_presets_need_no_file() -> None:
    assert [provider.name for provider in providers_named(["stripe", "slack"], None)] == [
        "stripe",
        "slack",
    ]


def test_without_names_all_that_the_file_describes_are_served(file: Path) -> None:
    assert [provider.name for provider in providers_named([], file)] == ["shop", "stripe-eu"]


def test_names_choose_from_both(file: Path) -> None:
    served = providers_named(["github", "shop", "shop"], file)

    assert [provider.name for provider in served] == ["github", "shop"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no provider to serve: name some of github, slack, standard-webhooks, stripe"),
        (["paypal"], "there is no provider 'paypal': expected one of github, slack"),
    ],
)
def test_a_provider_that_there_is_not_is_named(names: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        providers_named(names, None)

    assert caught.value.code == ExitCode.USAGE


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(CommandError, match=r"none\.yaml: No such file") as caught,
        webhook_failures(),
    ):
        providers_named([], tmp_path / "none.yaml")

    assert caught.value.code == ExitCode.USAGE


def test_secrets_are_where_those_of_workers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATCHET_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("HATCHET_SECRET_A_SIGNING_SECRET", "s3cr3t-of-the-environment")
    (tmp_path / "A_SIGNING_SECRET").write_text("unused")
    (tmp_path / "B_SIGNING_SECRET").write_text("s3cr3t-of-a-file\n")

    assert find_secret("A_SIGNING_SECRET") == "s3cr3t-of-the-environment"
    assert find_secret("B_SIGNING_SECRET") == "s3cr3t-of-a-file"
    assert find_secret("C_SIGNING_SECRET") is None
    (tmp_path / "B_SIGNING_SECRET").write_text("s3cr3t-that-is-new")
    assert find_secret("B_SIGNING_SECRET") == "s3cr3t-that-is-new"
