"""What servers answer, in the words and exit codes of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.key_files import exposed_keys
from hatchet_cli.servers import (
    broker_failures,
    publishing_failures,
    read_settings,
    request_failures,
)
from hatchet_router.errors import (
    BrokerTlsUnusable,
    BrokerUnreachable,
    EventRefused,
    EventUnroutable,
    InvalidEvent,
)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RPCStatusCode.UNAVAILABLE, ExitCode.UNREACHABLE),
        (RPCStatusCode.DEADLINE_EXCEEDED, ExitCode.UNREACHABLE),
        (RPCStatusCode.NOT_FOUND, ExitCode.FINDINGS),
        (RPCStatusCode.INVALID_ARGUMENT, ExitCode.FINDINGS),
    ],
)
def test_a_request_that_fails_says_why_and_whether_temporal_is_away(
    status: RPCStatusCode, code: ExitCode
) -> None:
    with pytest.raises(CommandError) as caught, request_failures():
        raise RPCError("no such thing", status, b"")

    assert str(caught.value) == f"a request to Temporal has failed, {status.name}: no such thing"
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("error", "code"),
    [(BrokerTlsUnusable, ExitCode.USAGE), (BrokerUnreachable, ExitCode.UNREACHABLE)],
)
def test_a_file_that_cannot_be_used_is_not_the_broker_s_fault(
    error: type[BrokerUnreachable], code: ExitCode
) -> None:
    with pytest.raises(CommandError) as caught, broker_failures():
        raise error("amqps://there/", "a reason")

    assert caught.value.code is code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidEvent("no such data"), ExitCode.USAGE),
        (EventUnroutable("a.b", "1"), ExitCode.NOTHING_MATCHED),
        (EventRefused("a.b", "1", "full"), ExitCode.FINDINGS),
        (BrokerUnreachable("amqp://there/", "a reason"), ExitCode.UNREACHABLE),
    ],
)
def test_an_event_that_is_not_published_says_why(error: Exception, code: ExitCode) -> None:
    """A wrong event, one that nobody wants, and a broker that does not take it."""
    with pytest.raises(CommandError) as caught, publishing_failures():
        raise error

    assert str(caught.value) == str(error)
    assert caught.value.code is code


def test_settings_that_contradict_each_other_name_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HATCHET_AMQP_URL", "amqp://there/")
    monkeypatch.setenv("HATCHET_AMQP_TLS_CA", "ca.pem")

    with pytest.raises(CommandError, match=r"^HATCHET_AMQP_TLS_CA is set, but") as caught:
        read_settings()

    assert caught.value.code is ExitCode.USAGE


def test_a_value_that_is_nested_too_deeply_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser of JSON gives up with an error of another kind."""
    monkeypatch.setenv("HATCHET_VARS", '{"a":' + "[" * 50_000 + "]" * 50_000 + "}")

    with pytest.raises(CommandError, match=r"^setting HATCHET_VARS.*: nested too deeply") as caught:
        read_settings()

    assert caught.value.code is ExitCode.USAGE


def test_keys_that_others_can_read_are_told(tmp_path: Path) -> None:
    mine, everybodys, gone = tmp_path / "mine", tmp_path / "everybodys", tmp_path / "gone"
    mine.touch(0o600)
    everybodys.touch()
    everybodys.chmod(0o604)

    assert not list(exposed_keys({"HATCHET_AMQP_TLS_KEY": str(mine)}))
    assert not list(exposed_keys({"HATCHET_AMQP_TLS_KEY": str(gone)}))
    assert not list(exposed_keys({}))
    assert list(exposed_keys({"TEMPORAL_TLS_CLIENT_KEY_PATH": str(everybodys)})) == [
        ("TEMPORAL_TLS_CLIENT_KEY_PATH", str(everybodys))
    ]


def test_a_certificate_may_be_read_by_all_unless_a_key_is_with_it(tmp_path: Path) -> None:
    """Without `HATCHET_AMQP_TLS_KEY`, the key is in the file of the certificate."""
    alone, both = tmp_path / "alone.pem", tmp_path / "both.pem"
    alone.write_text("-----BEGIN CERTIFICATE-----\n")
    both.write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n")
    for file in (alone, both):
        file.chmod(0o644)

    assert not list(exposed_keys({"HATCHET_AMQP_TLS_CERT": str(alone)}))
    assert not list(exposed_keys({"HATCHET_AMQP_TLS_CERT": str(tmp_path)}))
    assert list(exposed_keys({"HATCHET_AMQP_TLS_CERT": str(both)})) == [
        ("HATCHET_AMQP_TLS_CERT", str(both))
    ]
