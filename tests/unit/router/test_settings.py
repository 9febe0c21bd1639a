"""The router's settings come from the environment."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from hatchet_router.settings import DEFAULT_AMQP_URL, RouterSettings

ADDRESSES = ["HATCHET_AMQP_URL", "AMQP_URL", "RABBITMQ_URL", "CLOUDAMQP_URL"]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the machine has set."""
    for name in os.environ:
        if name.startswith("HATCHET_") or name in ADDRESSES:
            monkeypatch.delenv(name)


def test_without_an_environment_there_are_defaults() -> None:
    """They fit a RabbitMQ as it is installed."""
    settings = RouterSettings()

    assert settings.amqp_url == DEFAULT_AMQP_URL == "amqp://guest:guest@localhost:5672/"
    assert settings.workflows == Path(".hatchet")
    assert settings.prefetch == 64
    assert settings.max_body_bytes == 256 * 1024
    assert settings.grace_seconds == 20
    assert settings.more_exchanges == ()
    assert settings.vars == {}
    assert settings.queue_expires_seconds is None


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_address_is_found_under_the_names_that_platforms_use(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heroku and others set one of them."""
    monkeypatch.setenv(name, "amqp://there/")

    assert RouterSettings().amqp_url == "amqp://there/"


def test_our_own_name_for_the_address_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the order is that of the documentation."""
    for name in reversed(ADDRESSES):
        monkeypatch.setenv(name, f"amqp://{name.lower()}/")

        assert RouterSettings().amqp_url == f"amqp://{name.lower()}/"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what ``AMQP_URL=${AMQP_URL:-}`` in a compose file gives."""
    monkeypatch.setenv("HATCHET_AMQP_URL", "")
    monkeypatch.setenv("AMQP_URL", "amqp://there/")
    monkeypatch.setenv("HATCHET_PREFETCH", "")

    assert RouterSettings().amqp_url == "amqp://there/"
    assert RouterSettings().prefetch == 64


def test_every_field_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named after it."""
    for name, value in {
        "EXCHANGE": "x",
        "MORE_EXCHANGES": '["a", "b"]',
        "QUEUE": "q",
        "QUEUE_EXPIRES_SECONDS": "60",
        "WORKFLOWS": "flows",
        "PREFETCH": "7",
        "MAX_BODY_BYTES": "8",
        "GRACE_SECONDS": "0.5",
    }.items():
        monkeypatch.setenv(f"HATCHET_{name}", value)

    settings = RouterSettings()

    assert settings.workflows == Path("flows")
    assert (settings.prefetch, settings.max_body_bytes, settings.grace_seconds) == (7, 8, 0.5)
    topology = settings.topology
    assert (topology.exchange, topology.queue, topology.expires_seconds) == ("x", "q", 60)
    assert topology.more_exchanges == ("a", "b")


def test_settings_can_be_given_by_name() -> None:
    """As the commands of the program do with their options."""
    assert RouterSettings(amqp_url="amqp://here/").amqp_url == "amqp://here/"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFETCH", "0"),  # AMQP reads it as "without limit"
        ("PREFETCH", "65536"),
        ("PREFETCH", "many"),
        ("MAX_BODY_BYTES", "0"),
        ("GRACE_SECONDS", "-1"),
        ("QUEUE_EXPIRES_SECONDS", "0"),
        ("MORE_EXCHANGES", '"a"'),
    ],
)
def test_values_that_make_no_sense_are_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, not at the first event."""
    monkeypatch.setenv(f"HATCHET_{name}", value)

    with pytest.raises(ValidationError):
        RouterSettings()


def test_settings_do_not_change() -> None:
    """They are built once, at the edge."""
    with pytest.raises(ValidationError):
        RouterSettings().prefetch = 1  # type: ignore[misc]


def test_values_for_templates_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any JSON values, under names that templates can spell."""
    monkeypatch.setenv("HATCHET_VARS", '{"channel": "#orders", "limits": [1, 2]}')

    assert RouterSettings().vars == {"channel": "#orders", "limits": [1, 2]}


@pytest.mark.parametrize("text", ["[]", "x", '{"not a name": 1}'])
def test_anything_else_is_no_set_of_values(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed at the start."""
    monkeypatch.setenv("HATCHET_VARS", text)

    with pytest.raises((ValidationError, SettingsError)):
        RouterSettings()
