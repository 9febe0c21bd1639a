"""TLS to RabbitMQ: which files it takes, and what is said when there is no trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError
from tests.certificates import HOST, Authority, KeyPair, tls_server

from hatchet_router import BrokerTlsUnusable, BrokerUnreachable
from hatchet_router.amqp import connect
from hatchet_router.amqp_tls import tls_context, with_tls_files
from hatchet_router.settings import RouterSettings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"))


async def why_not(
    port: int, ca: Path | None = None, shown: KeyPair | None = None, scheme: str = "amqps"
) -> str:
    """Return why there is no connection."""
    url = f"{scheme}://u:s3cret@{HOST}:{port}/"
    if shown is not None:
        url = with_tls_files(url, ca, shown.certificate, shown.key)
    with pytest.raises(BrokerUnreachable) as caught:
        await connect(with_tls_files(url, ca), "test")
    assert "s3cret" not in str(caught.value)
    assert not isinstance(caught.value, BrokerTlsUnusable)
    return caught.value.reason


async def test_a_broker_of_no_trusted_authority_is_refused(
    authority: Authority, other: Authority
) -> None:
    with tls_server(authority.issue("server", HOST)) as port:
        unset = await why_not(port)
        wrong = await why_not(port, other.certificate)

    assert "of no CA that this machine trusts; set HATCHET_AMQP_TLS_CA" in unset
    assert f"not of the CA in '{other.certificate}'; set HATCHET_AMQP_TLS_CA" in wrong


@pytest.mark.parametrize(
    ("identity", "days", "reason"),
    [
        ("rabbitmq.example", 1, f"its TLS certificate is not for '{HOST}'"),
        (HOST, -1, "its TLS certificate has expired"),
    ],
)
async def test_a_certificate_of_another_host_or_time_is_refused(
    authority: Authority, identity: str, days: int, reason: str
) -> None:
    with tls_server(authority.issue("server", identity, days=days)) as port:
        assert reason in await why_not(port, authority.certificate)


async def test_a_broker_that_does_not_like_our_certificate_is_quoted(
    authority: Authority, other: Authority
) -> None:
    expired, foreign = authority.issue("expired", days=-1), other.issue("foreign")
    ca = authority.certificate
    with tls_server(authority.issue("server", HOST), client_ca=ca) as port:
        assert "demand another client certificate" in await why_not(port, ca)
        assert f"'{expired.certificate}' has expired" in await why_not(port, ca, expired)
        assert f"CA of the client certificate in '{foreign.certificate}'" in await why_not(
            port, ca, foreign
        )


async def test_a_connection_that_is_closed_after_the_handshake_is_explained(
    authority: Authority,
) -> None:
    """That is all there is to see of some brokers that miss a certificate."""
    ca, shown = authority.certificate, authority.issue("client")
    with tls_server(authority.issue("server", HOST)) as port:
        assert "if it demands a client certificate, set HATCHET_AMQP_TLS_CERT" in await why_not(
            port, ca
        )
        assert f"does it accept the client certificate in '{shown.certificate}'" in await why_not(
            port, ca, shown
        )
        assert "is it a port for TLS (amqps)" in await why_not(port, scheme="amqp")


Spoil = Callable[[Path, KeyPair, KeyPair], tuple[Path, Path | None]]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda _, a, __: (a.certificate.with_name("gone"), a.key),
            "CERT ({0}) cannot be read: No",
        ),
        (lambda _, a, __: (a.certificate, a.key.with_name("gone")), "KEY ({1}) cannot be read: No"),
        (lambda folder, a, _: (a.certificate, folder), "KEY ({1}) cannot be read: Is a directory"),
        (lambda _, a, __: (a.key, a.key), "CERT ({0}) holds no certificate"),
        (lambda _, a, __: (a.certificate, a.certificate), "KEY ({1}) holds no private key"),
        (lambda _, a, __: (a.certificate, None), "CERT ({0}) holds no private key"),
        (lambda _, a, b: (a.certificate, b.key), "KEY ({1}) holds a private key that is not of"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    authority: Authority, tmp_path: Path, spoil: Spoil, reason: str
) -> None:
    certificate, key = spoil(tmp_path, authority.issue("one"), authority.issue("two"))

    with pytest.raises(BrokerTlsUnusable) as caught:
        tls_context(with_tls_files("amqps://there/", authority.certificate, certificate, key))

    assert caught.value.reason.startswith(
        "HATCHET_AMQP_TLS_" + reason.format(repr(str(certificate)), repr(str(key)))
    )


def test_a_key_with_a_passphrase_asks_nobody(authority: Authority, tmp_path: Path) -> None:
    pair, locked = authority.issue("one"), tmp_path / "locked.key"
    private = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    locked.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )

    with pytest.raises(BrokerTlsUnusable, match="a private key with a passphrase"):
        tls_context(with_tls_files("amqps://there/", None, pair.certificate, locked))


def test_a_ca_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN NOTHING-----\n")

    with pytest.raises(BrokerTlsUnusable, match=r"TLS_CA \('.*ca.pem'\) holds no certificate"):
        tls_context(with_tls_files("amqps://there/", tmp_path / "ca.pem"))


def test_files_join_the_options_that_the_address_has() -> None:
    """What the address itself says is more particular."""
    url = with_tls_files("amqps://u:p@there/v?heartbeat=5&cafile=mine", Path("a b"), Path("c&d"))

    assert url == "amqps://u:p@there/v?cafile=mine&certfile=c%26d&heartbeat=5"
    assert with_tls_files("amqp://u:p@there/%2F") == "amqp://u:p@there/%2F"


def test_settings_name_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATCHET_AMQP_URL", "amqps://u:p@there/")
    for name, file in {"CA": "ca.pem", "CERT": "me.pem", "KEY": "me.key"}.items():
        monkeypatch.setenv(f"HATCHET_AMQP_TLS_{name}", file)

    assert RouterSettings().broker_url == (
        "amqps://u:p@there/?cafile=ca.pem&certfile=me.pem&keyfile=me.key"
    )


@pytest.mark.parametrize(
    ("url", "variable", "reason"),
    [
        ("amqp://there/", "CA", "HATCHET_AMQP_TLS_CA is set, but .* not encrypted; write amqps"),
        ("amqps://there/", "KEY", "HATCHET_AMQP_TLS_KEY is set without HATCHET_AMQP_TLS_CERT"),
    ],
)
def test_settings_that_would_not_protect_are_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, variable: str, reason: str
) -> None:
    """Somebody who names a CA means to be encrypted."""
    monkeypatch.setenv("HATCHET_AMQP_URL", url)
    monkeypatch.setenv(f"HATCHET_AMQP_TLS_{variable}", "file.pem")

    with pytest.raises(ValidationError, match=reason):
        RouterSettings()
