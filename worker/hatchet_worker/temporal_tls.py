"""What goes wrong with TLS to Temporal, in words that say which file it is and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hatchet_worker.errors import SettingsError

__all__ = ["check_authorities", "own_fault", "tls_reason"]

_CA: Final = "TEMPORAL_TLS_SERVER_CA_CERT"
_CERTIFICATE: Final = "TEMPORAL_TLS_CLIENT_CERT"
_KEY: Final = "TEMPORAL_TLS_CLIENT_KEY"
_BEGINNING: Final = b"-----BEGIN CERTIFICATE-----"

# What errors of temporalio's native core contain (rustls), where our own files are to blame.
_OWN_FAULTS: Final = MappingProxyType(
    {
        "Must have both client cert": "{certificate} and {key} belong together: set both, or none",
        "KeyMismatch": "{key} holds a private key that is not of the certificate in {certificate}",
        "NoCertificatesPresented": "{certificate} holds no certificate in PEM format",
        "PrivateKeyParseError": "{key} holds no private key in PEM format",
    }
)

# Likewise, where the server, or what it thinks of us, is.
_REASONS: Final = MappingProxyType(
    {
        "InvalidContentType": "what is listening there does not speak TLS; unset TEMPORAL_TLS",
        "UnknownIssuer": (
            "its TLS certificate is of no CA that {trusted}; set {ca} to the file with that CA's "
            "certificate"
        ),
        "NotValidForName": (
            "its TLS certificate is for another name than that in the address; "
            "set TEMPORAL_TLS_SERVER_NAME to the one in the certificate"
        ),
        "NotValidYet": "its TLS certificate is not valid yet; are the clocks right?",
        "InvalidCertificate(Expired": "its TLS certificate has expired; renew it on the server",
        "InvalidCertificate": "its TLS certificate is not one that can be trusted",
        "CertificateRequired": "it demands a client certificate; set {certificate} and {key}",
        "CertificateExpired": "it says that the client certificate in {certificate} has expired",
        "UnknownCA": "it does not know the CA of the client certificate in {certificate}",
        "BadCertificate": "it does not accept the client certificate in {certificate}",
        "CertificateUnknown": "it does not accept the client certificate in {certificate}",
        "HandshakeFailure": (
            "it ended the TLS handshake; if it demands a client certificate, set {certificate} "
            "and {key} to one that it accepts"
        ),
    }
)
# After the handshake a server that misses a certificate may reset the connection before its
# complaint has been read.
_CLOSED: Final = ("connection closed", "UnexpectedEof", "BrokenPipe", "ConnectionReset")
_CLOSED_REASON: Final = (
    "it closed the connection; if it demands a client certificate, set {certificate} and {key} "
    "to one that it accepts and that is still valid"
)


def check_authorities(pem: bytes | None, variables: Mapping[str, str]) -> None:
    """Find what Temporal's client would pass over: a file of CAs in which there are none.

    Raises:
        SettingsError: that is so.

    """
    if pem is not None and _BEGINNING not in pem:
        raise SettingsError(f"{_shown(_CA, variables)} holds no certificate in PEM format")


def own_fault(message: str, variables: Mapping[str, str]) -> str | None:
    """Return what is wrong with our certificate or key, None if the error is another one."""
    for part, reason in _OWN_FAULTS.items():
        if part in message:
            return reason.format_map(_places(variables))
    return None


def tls_reason(message: str, variables: Mapping[str, str]) -> str | None:
    """Return why server and client did not trust each other, None if the error is another one."""
    for part, reason in _REASONS.items():
        if part in message:
            return reason.format_map(_places(variables))
    if any(part in message for part in _CLOSED):
        return _CLOSED_REASON.format_map(_places(variables))
    return None


def _places(variables: Mapping[str, str]) -> dict[str, str]:
    has_ca = any(name.startswith(_CA) for name in variables)
    return {
        "ca": _shown(_CA, variables),
        "certificate": _shown(_CERTIFICATE, variables),
        "key": _shown(_KEY, variables),
        "trusted": "is trusted here" if has_ca else "this machine trusts",
    }


def _shown(name: str, variables: Mapping[str, str]) -> str:
    """Return the variable's name, and the file that it names, if any."""
    path = variables.get(f"{name}_PATH")
    if path is not None:
        return f"{name}_PATH ({path!r})"
    return f"{name}_DATA" if f"{name}_DATA" in variables else f"{name}_PATH"
