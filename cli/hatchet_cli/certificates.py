"""When certificates end."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from hatchet_cli.findings import Finding

__all__ = [
    "certificate_file_finding",
    "certificate_finding",
    "end_of_certificate",
    "server_certificate_finding",
]

_SOON: Final = timedelta(days=21)
_CONNECT_SECONDS: Final = 5.0
_VERSION: Final = 0xA0  # tags of ASN.1
_UTC_TIME: Final = 0x17
_LONG_FORM: Final = 0x80


async def server_certificate_finding(subject: str, host: str, port: int) -> Finding:
    """Return whether the certificate that the server there shows ends soon."""
    try:
        certificate = await _peer_certificate(host, port)
    except OSError as error:
        reason = str(error) or type(error).__name__
        return Finding(subject, "note", f"cannot be seen: {reason}")
    return certificate_finding(subject, certificate, datetime.now(UTC))


def certificate_file_finding(subject: str, file: Path) -> Finding:
    """Return whether the first certificate in a PEM file ends soon."""
    try:
        text = file.read_text("ascii", "replace")
        begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        certificate = ssl.PEM_cert_to_DER_cert(text[begin:end])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no certificate as PEM"
        return Finding(subject, "note", f"{file} cannot be read: {reason}")
    return certificate_finding(subject, certificate, datetime.now(UTC))


async def _peer_certificate(host: str, port: int) -> bytes:
    """Return the certificate that the server there shows, in DER, whoever vouches for it.

    Raises:
        OSError: it does not answer in time, or speaks no TLS.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent; the clients themselves do verify
    context.set_alpn_protocols(["h2"])
    async with asyncio.timeout(_CONNECT_SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return certificate
    finally:
        writer.close()
        with suppress(OSError):  # one that wants a certificate of ours hangs up
            await writer.wait_closed()


def certificate_finding(subject: str, certificate: bytes, now: datetime) -> Finding:
    """Return whether ``certificate``, in DER, ends soon."""
    try:
        end = end_of_certificate(certificate)
    except (IndexError, ValueError):
        return Finding(subject, "note", "it is no X.509 certificate that can be read")
    days = (end - now).days
    if end <= now:
        return Finding(subject, "problem", f"has ended on {end:%Y-%m-%d}", "renew it")
    if end - now < _SOON:
        return Finding(subject, "note", f"ends on {end:%Y-%m-%d}, in {days} days", "renew it")
    return Finding(subject, "ok", f"ends on {end:%Y-%m-%d}")


def end_of_certificate(certificate: bytes) -> datetime:
    """Return when ``certificate``, X.509 in DER, ends (RFC 5280, 4.1).

    Raises:
        IndexError, ValueError: it is none.

    """
    _, signed, _ = _element(certificate)
    _, fields, _ = _element(signed)
    tag, _, rest = _element(fields)
    if tag == _VERSION:
        _, _, rest = _element(rest)
    for _ in ("signature", "issuer"):
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    _, _, rest = _element(validity)
    tag, text, _ = _element(rest)
    digits = text.decode("ascii")
    if tag == _UTC_TIME:
        digits = f"{'20' if digits < '50' else '19'}{digits}"
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and the content of the first element of DER, and what follows it."""
    length, start = data[1], 2
    if length & _LONG_FORM:
        start += length & ~_LONG_FORM
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]
