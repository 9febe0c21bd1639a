"""When certificates end, and what is said of it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hatchet_cli.certificates import (
    certificate_finding,
    end_of_certificate,
    server_certificate_finding,
)


@pytest.fixture(scope="module", params=["60", "20000"])
def certificate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, datetime]:
    """A certificate, its key, and when it ends: dates from 2050 on are written otherwise."""
    folder = tmp_path_factory.mktemp("certificate")
    key, made = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=here"
    subprocess.run(
        [*command.split(), "-days", request.param, "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-in", made],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    end = datetime.strptime(shown.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    return made, key, end


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def test_the_end_is_the_one_that_openssl_reads(certificate: tuple[Path, Path, datetime]) -> None:
    made, _, end = certificate

    assert end_of_certificate(der(made)) == end


@pytest.mark.parametrize(
    ("left", "state"),
    [(timedelta(days=30), "ok"), (timedelta(days=20), "note"), (timedelta(0), "problem")],
)
def test_one_that_ends_soon_is_told(
    certificate: tuple[Path, Path, datetime], left: timedelta, state: str
) -> None:
    made, _, end = certificate

    assert certificate_finding("it", der(made), end - left).state == state


@pytest.mark.parametrize("data", [b"", b"\x30\x03abc", b"\x30\x82"])
def test_what_is_no_certificate_is_told(data: bytes) -> None:
    assert certificate_finding("it", data, datetime.now(UTC)).state == "note"


async def test_a_server_shows_its_certificate_whoever_vouches_for_it(
    certificate: tuple[Path, Path, datetime],
) -> None:
    made, key, end = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
    )
    async with server:
        port = server.sockets[0].getsockname()[1]

        found = await server_certificate_finding("it", "127.0.0.1", port)

    assert (found.state, found.detail) == ("ok", f"ends on {end:%Y-%m-%d}")
    assert (await server_certificate_finding("it", "127.0.0.1", port)).state == "note"
