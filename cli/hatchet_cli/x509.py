"""What is read of certificates, X.509 in DER (RFC 5280, 4.1)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

__all__ = ["certificates_in", "end_of_certificate", "name_of_certificate"]

_VERSION: Final = 0xA0  # tags of ASN.1
_UTC_TIME: Final = 0x17
_LONG_FORM: Final = 0x80
_COMMON_NAME: Final = b"\x55\x04\x03"  # 2.5.4.3
_PEM: Final = re.compile(
    f"{re.escape(ssl.PEM_HEADER)}.*?{re.escape(ssl.PEM_FOOTER)}", re.ASCII | re.DOTALL
)


def certificates_in(pem: str) -> list[bytes]:
    """Return the certificates that stand in a text as PEM, in their order; other things may, too.

    Raises:
        ValueError: one is damaged, or there is none.

    """
    found = [ssl.PEM_cert_to_DER_cert(block) for block in _PEM.findall(pem)]
    if not found:
        raise ValueError("it is no certificate as PEM")
    return found


def end_of_certificate(certificate: bytes) -> datetime:
    """Return when ``certificate`` ends.

    Raises:
        IndexError, ValueError: it is none.

    """
    validity, _ = _validity_and_subject(certificate)
    _, _, rest = _element(validity)
    tag, text, _ = _element(rest)
    digits = text.decode("ascii")
    if tag == _UTC_TIME:
        digits = f"{'20' if digits < '50' else '19'}{digits}"
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def name_of_certificate(certificate: bytes) -> str:
    """Return the common name of whom ``certificate`` is for, "" where it has none.

    Raises:
        IndexError, ValueError: it is none.

    """
    _, subject = _validity_and_subject(certificate)
    for attributes in _elements(subject):
        for attribute in _elements(attributes):
            kind, *values = _elements(attribute)
            if kind == _COMMON_NAME and values:
                return values[0].decode("utf-8", "replace")
    return ""


def _validity_and_subject(certificate: bytes) -> tuple[bytes, bytes]:
    _, signed, _ = _element(certificate)
    _, fields, _ = _element(signed)
    tag, _, rest = _element(fields)
    if tag == _VERSION:
        _, _, rest = _element(rest)
    for _ in ("signature", "issuer"):
        _, _, rest = _element(rest)
    _, validity, rest = _element(rest)
    _, subject, _ = _element(rest)
    return validity, subject


def _elements(data: bytes) -> Iterator[bytes]:
    while data:
        _, content, data = _element(data)
        yield content


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and the content of the first element of DER, and what follows it."""
    length, start = data[1], 2
    if length & _LONG_FORM:
        start += length & ~_LONG_FORM
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]
