"""Where Temporal is, by the environment; and what is said when it is not there."""

import socket
from pathlib import Path

import pytest
from temporalio.service import RPCStatusCode

from hatchet_worker import SettingsError, TemporalSettings, TemporalUnreachable, connect
from hatchet_worker.connection import _unreachable


def test_without_an_environment_it_is_the_local_server() -> None:
    """Nothing has to be configured on a developer's machine."""
    settings = TemporalSettings.from_environment({})

    assert settings == TemporalSettings()
    assert (settings.address, settings.namespace) == ("localhost:7233", "default")


def test_the_environment_says_where_and_how() -> None:
    """The same variables as for Temporal's own tools; a key never shows."""
    settings = TemporalSettings.from_environment(
        {
            "TEMPORAL_ADDRESS": "temporal.example:7233",
            "TEMPORAL_NAMESPACE": "orders",
            "TEMPORAL_API_KEY": "hunter2",
        }
    )

    assert settings.address == "temporal.example:7233"
    assert settings.namespace == "orders"
    assert settings.api_key == "hunter2"
    assert settings.tls
    assert "hunter2" not in repr(settings)


def test_a_configuration_file_is_read(tmp_path: Path) -> None:
    """The same file as for Temporal's own tools."""
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.staging]\naddress = "staging.example:7233"\n')

    settings = TemporalSettings.from_environment(
        {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "staging"}
    )

    assert settings.address == "staging.example:7233"


@pytest.mark.parametrize("word", ["no", "No", "off", "false", "0"])
def test_no_means_no_tls(word: str) -> None:
    """Temporal's own reading takes all but false and 0 for yes."""
    assert TemporalSettings.from_environment({"TEMPORAL_TLS": word}).tls is False


@pytest.mark.parametrize("word", ["yes", "on", "TRUE", "1"])
def test_yes_means_tls(word: str) -> None:
    """In any of the usual spellings."""
    assert TemporalSettings.from_environment({"TEMPORAL_TLS": word}).tls


def test_an_empty_variable_is_none() -> None:
    """Compose files and CI pass on unset variables as empty ones."""
    environment = {"TEMPORAL_TLS": "", "TEMPORAL_API_KEY": "key", "TEMPORAL_ADDRESS": ""}

    settings = TemporalSettings.from_environment(environment)

    assert settings.tls
    assert settings.address == "localhost:7233"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TEMPORAL_TLS": "maybe"}, "TEMPORAL_TLS is 'maybe': expected true or false"),
        ({"TEMPORAL_CONFIG_FILE": "not-there.toml"}, "'not-there.toml', which is not a file"),
        ({"TEMPORAL_PROFILE": "nope"}, "Profile 'nope' not found"),
        ({"TEMPORAL_TLS_CLIENT_CERT_PATH": "not-there.pem"}, r"not-there\.pem"),
    ],
)
def test_settings_that_cannot_be_meant_are_errors(
    environment: dict[str, str], message: str
) -> None:
    """Temporal itself would ignore some of them silently."""
    with pytest.raises(SettingsError, match=message):
        TemporalSettings.from_environment(environment)


async def test_an_address_where_nothing_listens_is_named() -> None:
    """The first thing that goes wrong for everyone."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(TemporalUnreachable, match="nothing is listening there") as caught:
            await connect(TemporalSettings(address=address))

    assert caught.value.address == address


async def test_an_address_that_is_none_is_an_error_too() -> None:
    """One kind of error for all that keeps us from connecting."""
    with pytest.raises(TemporalUnreachable):
        await connect(TemporalSettings(address="not an address"))


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen server accepts connections, and says nothing."""
    monkeypatch.setattr("hatchet_worker.connection._CONNECT_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()

        with pytest.raises(TemporalUnreachable, match="does not answer"):
            await connect(TemporalSettings(address=f"127.0.0.1:{silent.getsockname()[1]}"))


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED),
        ("Request unauthorized.", RPCStatusCode.UNAUTHENTICATED),
        (
            (
                "Failed client connect: `get_system_info` call error after connection: "
                'Status { code: Unauthenticated, message: "Request unauthorized." }'
            ),
            None,
        ),
    ],
)
def test_a_server_that_does_not_let_us_in_is_told_from_one_that_is_away(
    message: str, status: RPCStatusCode | None
) -> None:
    """Nobody is to start a server where there is one."""
    error = str(_unreachable("acme.tmprl.cloud:7233", message, status))

    assert "it does not let us in (Request unauthorized). Check TEMPORAL_API_KEY" in error
    assert "Start a server" not in error
