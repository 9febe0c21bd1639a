"""What each setting is in a process, and who says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatchet_cli.exiting import CommandError
from hatchet_cli.servers import read_settings, read_temporal_settings
from hatchet_cli.settings.environment import complete_environment, unknown_variables
from hatchet_cli.settings.report import setting_report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory of a process that has nothing in its environment."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    monkeypatch.setattr(os, "environ", os.environ.copy())
    before = dict(os.environ)
    for name in before.keys() - kept.keys():
        del os.environ[name]
    monkeypatch.chdir(tmp_path)
    complete_environment.cache_clear()
    yield tmp_path
    complete_environment.cache_clear()
    os.environ.clear()
    os.environ.update(before)


def rows() -> dict[str, tuple[str | None, str]]:
    """Return what is shown, by name: value and origin."""
    return {row.name: (row.value, row.origin) for row in setting_report()}


def test_each_value_has_its_origin_and_secrets_are_not_shown(folder: Path) -> None:
    (folder / ".env").write_text(
        "HATCHET_SECRET_TOKEN=hunter2\nTEMPORAL_NAMESPACE=orders\nTEMPORAL_API_KEY=hunter2\n"
    )
    (folder / "hatchet.toml").write_text('prefetch = 7\n[temporal]\naddress = "toml:1"\n')
    os.environ["CLOUDAMQP_URL"] = "amqp://guest:hunter2@there/"

    shown = rows()

    assert shown["HATCHET_AMQP_URL"] == ("amqp://***@there/", "environment, CLOUDAMQP_URL")
    assert shown["HATCHET_SECRET_TOKEN"] == ("***", ".env:1")
    assert shown["TEMPORAL_NAMESPACE"] == ("orders", ".env:2")
    assert shown["TEMPORAL_API_KEY"] == ("***", ".env:3")
    assert shown["TEMPORAL_ADDRESS"] == ("toml:1", "hatchet.toml")
    assert shown["HATCHET_PREFETCH"] == ("7", "hatchet.toml")
    assert shown["HATCHET_QUEUE"] == ("hatchet.router", "default")
    assert "hunter2" not in str(shown)


def test_the_models_and_temporals_client_go_by_the_files(folder: Path) -> None:
    (folder / ".env").write_text("HATCHET_QUEUE=mine\nTEMPORAL_API_KEY=hunter2\n")
    (folder / "hatchet.toml").write_text(
        'exchange = "theirs"\n[vars]\nlimits = [1, 2]\n[temporal]\naddress = "toml:1"\n'
    )

    settings, temporal = read_settings(exchange="option"), read_temporal_settings()

    assert (settings.queue, settings.exchange) == ("mine", "option")
    assert settings.vars == {"limits": [1, 2]}
    assert (temporal.address, temporal.api_key) == ("toml:1", "hunter2")


def test_a_profile_of_temporals_own_file_is_shown(folder: Path) -> None:
    (folder / "temporal.toml").write_text('[profile.cloud]\nnamespace = "orders.a1"\n')
    os.environ.update(TEMPORAL_CONFIG_FILE="temporal.toml", TEMPORAL_PROFILE="cloud")

    assert rows()["TEMPORAL_NAMESPACE"] == ("orders.a1", "Temporal's file, profile cloud")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "HATCHET_HOLD_SECONDS=9999",
            "setting HATCHET_HOLD_SECONDS (.env:1): input should be less",
        ),
        ("HATCHET_VARS=x", "setting HATCHET_VARS (.env:1): expected JSON"),
        (
            "HATCHET_VARS='{\"a b\": 1}'",
            "setting HATCHET_VARS (.env:1) at [a b][[key]]: string should match",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_place(
    folder: Path, line: str, said: str
) -> None:
    (folder / ".env").write_text(line)

    with pytest.raises(CommandError) as caught:
        read_settings()

    assert str(caught.value).startswith(said)


@pytest.mark.usefixtures("folder")
def test_options_of_integrations_are_theirs_to_know() -> None:
    os.environ.update(HATCHET_MY_CRM_URL="x", HATCHET_PREFTECH="3")
    said = "HATCHET_PREFTECH (environment) sets nothing; did you mean HATCHET_PREFETCH?"

    assert unknown_variables(["my-crm"]) == [said]
    assert unknown_variables() == ["HATCHET_MY_CRM_URL (environment) sets nothing", said]
