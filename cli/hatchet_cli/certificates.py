"""When certificates end: those of servers, ours, and those of the CAs that vouch for them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from hatchet_cli.definitions import counted
from hatchet_cli.findings import Finding
from hatchet_cli.x509 import certificates_in, end_of_certificate, name_of_certificate

__all__ = [
    "authorities_finding",
    "certificate_file_finding",
    "chain_finding",
    "pem_finding",
    "server_certificate_finding",
]

_SOON: Final = timedelta(days=21)
_CONNECT_SECONDS: Final = 5.0
_SHOWN: Final = 3

Judge = Callable[[str, Sequence[bytes], datetime], Finding]
"""Returns the finding on a subject: its certificates, in DER, now; at least one."""


async def server_certificate_finding(subject: str, host: str, port: int) -> Finding:
    """Return whether the certificate that the server there shows ends soon, or its chain does."""
    try:
        shown = await _shown_certificates(host, port)
    except OSError as error:
        reason = str(error) or type(error).__name__
        return Finding(subject, "note", f"cannot be seen: {reason}")
    return chain_finding(subject, shown, datetime.now(UTC))


def certificate_file_finding(subject: str, file: Path, judge: Judge) -> Finding:
    """Return what ``judge`` says of the certificates in a PEM file."""
    try:
        text = file.read_text("ascii", "replace")
    except OSError as error:
        return Finding(subject, "note", f"{file} cannot be read: {error.strerror}")
    return pem_finding(subject, text, judge, f"{file} cannot be read: ")


def pem_finding(subject: str, pem: str, judge: Judge, unread: str = "") -> Finding:
    """Return what ``judge`` says of the certificates in ``pem``.

    ``unread`` is what goes before why there are none.
    """
    try:
        certificates = certificates_in(pem)
    except ValueError:
        return Finding(subject, "note", f"{unread}it is no certificate as PEM")
    return judge(subject, certificates, datetime.now(UTC))


def chain_finding(subject: str, chain: Sequence[bytes], now: datetime) -> Finding:
    """Return whether the first of ``chain`` ends soon, or one of those that lead from it to a CA.

    The end of a later one is a note in any case: whoever verifies may know another way to a CA.
    """
    try:
        (end, _), *later = _ends(chain)
    except (IndexError, ValueError):
        return _unreadable(subject)
    if end <= now:
        return Finding(subject, "problem", _ended_or_ends(end, now), "renew it")
    detail = _ended_or_ends(end, now)
    first_end, name = min(later, default=(end, ""))
    if first_end < end and first_end - now < _SOON:
        told = f"{detail}; {name!r} in its chain {_ended_or_ends(first_end, now)}"
        return Finding(subject, "note", told, "renew the chain")
    if end - now < _SOON:
        return Finding(subject, "note", detail, "renew it")
    return Finding(subject, "ok", detail)


def authorities_finding(subject: str, authorities: Sequence[bytes], now: datetime) -> Finding:
    """Return whether some of ``authorities`` end soon; it is a problem where all have ended."""
    try:
        ends = sorted(_ends(authorities))
    except (IndexError, ValueError):
        return _unreadable(subject)
    soon = [(end, name) for end, name in ends if end - now < _SOON]
    mend = "have another one issue what it vouches for, and trust both meanwhile"
    detail = _ended_or_ends(ends[0][0], now)
    if len(ends) > 1:
        told = [f"{name!r} {_ended_or_ends(end, now)}" for end, name in soon or ends[:1]]
        more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        detail = f"{counted(len(ends), 'certificate')}: {', '.join(told[:_SHOWN])}{more}"
    if ends[-1][0] <= now:
        return Finding(subject, "problem", detail, mend)
    return Finding(subject, "note", detail, mend) if soon else Finding(subject, "ok", detail)


def _ends(certificates: Sequence[bytes]) -> list[tuple[datetime, str]]:
    return [(end_of_certificate(each), name_of_certificate(each)) for each in certificates]


def _ended_or_ends(end: datetime, now: datetime) -> str:
    if end <= now:
        return f"has ended on {end:%Y-%m-%d}"
    days = f", in {counted((end - now).days, 'day')}" if end - now < _SOON else ""
    return f"ends on {end:%Y-%m-%d}{days}"


def _unreadable(subject: str) -> Finding:
    return Finding(subject, "note", "it is no X.509 certificate that can be read")


async def _shown_certificates(host: str, port: int) -> list[bytes]:
    """Return the certificates that the server there shows, in DER, whoever vouches for them.

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
        return _chain_of(writer.get_extra_info("ssl_object"))
    finally:
        writer.close()
        with suppress(OSError):  # one that wants a certificate of ours hangs up
            await writer.wait_closed()


def _chain_of(tls: ssl.SSLObject) -> list[bytes]:
    public: Callable[[], list[bytes]] | None = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return public()
    from _ssl import ENCODING_DER

    # What the method does that Python has from 3.13 on.
    chain = getattr(tls, "_sslobj").get_unverified_chain()  # noqa: B009 - no type checker knows it
    return [certificate.public_bytes(ENCODING_DER) for certificate in chain]
