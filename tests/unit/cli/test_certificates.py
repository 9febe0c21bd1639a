"""When certificates end, and what is said of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from temporalio.service import TLSConfig

from hatchet_cli.broker_diagnosis import diagnose_broker
from hatchet_cli.certificates import (
    authorities_finding,
    certificate_file_finding,
    chain_finding,
    server_certificate_finding,
)
from hatchet_cli.temporal_diagnosis import diagnose_temporal
from hatchet_cli.x509 import certificates_in, end_of_certificate, name_of_certificate
from hatchet_router.amqp_tls import with_tls_files
from hatchet_router.settings import RouterSettings
from hatchet_worker.connection import TemporalSettings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
KEY_PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


def certificate(name: str, days: float, now: datetime = NOW) -> x509.Certificate:
    """Return a certificate that ends so many days after ``now``."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]
    if name:
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the issuer")]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9999))
        .not_valid_after(now + timedelta(days=days))
        .sign(KEY, hashes.SHA256())
    )


def der(*certificates: x509.Certificate) -> list[bytes]:
    return [each.public_bytes(serialization.Encoding.DER) for each in certificates]


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


@pytest.mark.parametrize("days", [60, 20000])  # dates from 2050 on are written otherwise
@pytest.mark.parametrize("name", ["", "cäñ"])
def test_the_end_and_the_name_are_those_that_the_library_reads(name: str, days: int) -> None:
    made = certificate(name, days)
    [octets] = der(made)

    assert end_of_certificate(octets) == made.not_valid_after_utc
    assert name_of_certificate(octets) == name


def test_all_certificates_of_a_file_are_found_whatever_stands_between_them() -> None:
    one, other = certificate("a", 1), certificate("b", 2)
    text = f"# mine\n{KEY_PEM.decode()}{pem(one).decode()}\nand\n{pem(other).decode()}"

    assert certificates_in(text) == der(one, other)


@pytest.mark.parametrize(
    ("ends", "state", "told"),
    [
        ([30], "ok", "ends on 2026-03-31"),
        ([20], "note", "ends on 2026-03-21, in 20 days"),
        ([0], "problem", "has ended on 2026-03-01"),
        ([90, 400, 30], "ok", "ends on 2026-05-30"),
        ([90, 400, 5], "note", "'c2' in its chain ends on 2026-03-06, in 5 days"),
        ([90, 5, 4], "note", "'c2' in its chain ends on 2026-03-05, in 4 days"),
        ([90, -1], "note", "'c1' in its chain has ended on 2026-02-28"),
        ([5, 9], "note", "ends on 2026-03-06, in 5 days"),
        ([-1, -2], "problem", "has ended on 2026-02-28"),
    ],
)
def test_a_chain_is_as_good_as_the_first_of_it_to_end(
    ends: Sequence[int], state: str, told: str
) -> None:
    """But an old one further up may be one that nobody needs."""
    chain = der(*[certificate(f"c{number}", days) for number, days in enumerate(ends)])

    found = chain_finding("it", chain, NOW)

    assert (found.state, found.detail.rpartition("; ")[2]) == (state, told)
    assert bool(found.mend) == (state != "ok")


@pytest.mark.parametrize(
    ("ends", "state", "told"),
    [
        ([400], "ok", "ends on 2027-04-05"),
        ([20], "note", "ends on 2026-03-21, in 20 days"),
        ([-1], "problem", "has ended on 2026-02-28"),
        ([500, 400], "ok", "2 certificates: 'c1' ends on 2027-04-05"),
        ([400, -1], "note", "2 certificates: 'c1' has ended on 2026-02-28"),
        ([-1, -2], "problem", "'c1' has ended on 2026-02-27, 'c0' has ended on 2026-02-28"),
        ([9, 9, 9, 9, 9, 400], "note", " and 2 more"),
    ],
)
def test_of_those_that_are_trusted_one_has_to_be_good(
    ends: Sequence[int], state: str, told: str
) -> None:
    """While one is exchanged for another, both are trusted."""
    authorities = der(*[certificate(f"c{number}", days) for number, days in enumerate(ends)])

    found = authorities_finding("it", authorities, NOW)

    assert found.state == state
    assert told in found.detail


@pytest.mark.parametrize("data", [b"", b"\x30\x03abc", b"\x30\x82"])
def test_what_is_no_certificate_is_told(data: bytes) -> None:
    assert chain_finding("it", [data], NOW).state == "note"
    assert authorities_finding("it", [data], NOW).state == "note"


def test_a_file_that_has_none_is_told(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(KEY_PEM)

    for file in (key, tmp_path / "none.pem"):
        found = certificate_file_finding("it", file, chain_finding)
        assert (found.state, f"{file} cannot be read" in found.detail) == ("note", True)


async def test_a_server_shows_its_whole_chain_whoever_vouches_for_it(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    chain = [certificate("here", 60, now), certificate("between", 5.5, now)]
    (tmp_path / "chain.pem").write_bytes(pem(*chain))
    (tmp_path / "key.pem").write_bytes(KEY_PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
    )
    async with server:
        port = server.sockets[0].getsockname()[1]

        found = await server_certificate_finding("it", "127.0.0.1", port)

    assert found.state == "note"
    assert "; 'between' in its chain ends on " in found.detail
    assert found.detail.endswith(", in 5 days")
    assert "cannot be seen" in (await server_certificate_finding("it", "127.0.0.1", port)).detail


async def test_the_authorities_of_both_servers_are_looked_at_though_nobody_answers(
    tmp_path: Path,
) -> None:
    """That they have ended may be why."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pem(certificate("ca", -1, datetime.now(UTC))))
    url = with_tls_files("amqps://127.0.0.1:1", ca)
    tls = TLSConfig(server_root_ca_cert=ca.read_bytes())

    found = [
        *await diagnose_broker(RouterSettings(amqp_url=url)),
        *await diagnose_temporal(TemporalSettings(address="127.0.0.1:1", tls=tls)),
    ]

    told = {finding.subject: (finding.state, finding.detail[:13]) for finding in found}
    assert told["RabbitMQ's CA"] == ("problem", "has ended on ")
    assert told["Temporal's CA"] == ("problem", "has ended on ")
