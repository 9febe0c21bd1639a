"""TLS to Temporal: what is said when server and client do not trust each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.certificates import HOST, Authority, KeyPair, tls_server

from hatchet_worker import SettingsError, TemporalSettings, TemporalUnreachable, connect


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"))


def variables(ca: Path | None = None, shown: KeyPair | None = None) -> dict[str, str]:
    """Return how these files are given to Temporal's own tools, too."""
    given = {"CLIENT_CERT": shown and shown.certificate, "CLIENT_KEY": shown and shown.key}
    files = {"SERVER_CA_CERT": ca, **given}
    return {f"TEMPORAL_TLS_{name}_PATH": str(file) for name, file in files.items() if file}


async def why_not(port: int, environment: Mapping[str, str]) -> str:
    """Return why there is no connection."""
    settings = TemporalSettings.from_environment(
        {"TEMPORAL_ADDRESS": f"{HOST}:{port}", "TEMPORAL_TLS": "true", **environment}
    )
    with pytest.raises(TemporalUnreachable) as caught:
        await connect(settings)
    assert "Start a server" not in str(caught.value)
    return caught.value.reason


async def test_a_server_of_no_trusted_authority_is_refused(
    authority: Authority, other: Authority
) -> None:
    with tls_server(authority.issue("server", HOST)) as port:
        unset = await why_not(port, {})
        wrong = await why_not(port, variables(other.certificate))

    assert "of no CA that this machine trusts; set TEMPORAL_TLS_SERVER_CA_CERT_PATH" in unset
    assert f"set TEMPORAL_TLS_SERVER_CA_CERT_PATH ('{other.certificate}')" in wrong


@pytest.mark.parametrize(
    ("identity", "days", "reason"),
    [
        ("temporal.example", 1, "is for another name than that in the address"),
        (HOST, -1, "its TLS certificate has expired"),
    ],
)
async def test_a_certificate_of_another_host_or_time_is_refused(
    authority: Authority, identity: str, days: int, reason: str
) -> None:
    with tls_server(authority.issue("server", identity, days=days)) as port:
        assert reason in await why_not(port, variables(authority.certificate))


async def test_a_server_that_does_not_like_our_certificate_is_quoted(
    authority: Authority, other: Authority
) -> None:
    ca, expired, foreign = (
        authority.certificate,
        authority.issue("expired", days=-1),
        other.issue("foreign"),
    )
    with tls_server(authority.issue("server", HOST), client_ca=ca) as port:
        none = await why_not(port, variables(ca))
        late = await why_not(port, variables(ca, expired))
        unknown = await why_not(port, variables(ca, foreign))

    assert "if it demands a client certificate, set TEMPORAL_TLS_CLIENT_CERT_PATH" in none
    assert f"TEMPORAL_TLS_CLIENT_CERT_PATH ('{expired.certificate}') has expired" in late
    assert (
        f"CA of the client certificate in TEMPORAL_TLS_CLIENT_CERT_PATH ('{foreign.certificate}')"
        in unknown
    )


async def test_a_connection_that_is_closed_after_the_handshake_is_explained(
    authority: Authority,
) -> None:
    with tls_server(authority.issue("server", HOST)) as port:
        reason = await why_not(port, variables(authority.certificate))

    assert "it closed the connection; if it demands a client certificate, set" in reason


async def test_a_key_of_another_certificate_is_our_own_fault(authority: Authority) -> None:
    one, two = authority.issue("one"), authority.issue("two")
    mixed = variables(authority.certificate, KeyPair(one.certificate, two.key))

    with (
        tls_server(authority.issue("server", HOST)) as port,
        pytest.raises(SettingsError, match=r"KEY_PATH \('.*two.key'\) holds a private key that is"),
    ):
        await connect(
            TemporalSettings.from_environment({"TEMPORAL_ADDRESS": f"{HOST}:{port}", **mixed})
        )


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"CLIENT_CERT_PATH": "key"}, "TEMPORAL_TLS_CLIENT_CERT_PATH .* holds no certificate"),
        ({"CLIENT_KEY_PATH": "certificate"}, "TEMPORAL_TLS_CLIENT_KEY_PATH .* no private key"),
        ({"CLIENT_KEY_PATH": ""}, "belong together"),
        ({"SERVER_CA_CERT_PATH": "key"}, "SERVER_CA_CERT_PATH .* holds no certificate"),
    ],
)
async def test_files_that_are_something_else_are_named(
    authority: Authority, wrong: dict[str, str], reason: str
) -> None:
    pair = authority.issue("one")
    files = {"key": str(pair.key), "certificate": str(pair.certificate), "": ""}
    given = {f"TEMPORAL_TLS_{name}": files[file] for name, file in wrong.items()}

    with (
        tls_server(authority.issue("server", HOST)) as port,
        pytest.raises(SettingsError, match=reason),
    ):
        await connect(
            TemporalSettings.from_environment(
                {
                    "TEMPORAL_ADDRESS": f"{HOST}:{port}",
                    **variables(authority.certificate, pair),
                    **given,
                }
            )
        )
