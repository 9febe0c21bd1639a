"""TLS to RabbitMQ, by the options of its address, and what failures of it mean."""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from hatchet_router.errors import BrokerTlsUnusable

__all__ = [
    "client_certificate",
    "closed_reason",
    "tls_context",
    "tls_reason",
    "trusted_authorities",
    "with_tls_files",
]

_CA: Final = "cafile"
_CERTIFICATE: Final = "certfile"
_KEY: Final = "keyfile"
_VARIABLES: Final = MappingProxyType(
    {
        _CA: "HATCHET_AMQP_TLS_CA",
        _CERTIFICATE: "HATCHET_AMQP_TLS_CERT",
        _KEY: "HATCHET_AMQP_TLS_KEY",
    }
)

# Of `openssl/x509_vfy.h`, X509_V_ERR_…
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})
_UNKNOWN_ISSUER: Final = frozenset({2, 18, 19, 20, 21})

# Alerts that the broker sends, and what else OpenSSL tells, as `ssl.SSLError.reason` has them.
_REASONS: Final = MappingProxyType(
    {
        "CERTIFICATE_REQUIRED": (
            "it demands a client certificate; set HATCHET_AMQP_TLS_CERT and HATCHET_AMQP_TLS_KEY"
        ),
        "CERTIFICATE_EXPIRED": "it says that the client certificate{certificate} has expired",
        "UNKNOWN_CA": "it does not know the CA of the client certificate{certificate}",
        "BAD_CERTIFICATE": "it does not accept the client certificate{certificate}",
        "CERTIFICATE_UNKNOWN": "it does not accept the client certificate{certificate}",
        "UNSUPPORTED_CERTIFICATE": "it does not accept the client certificate{certificate}",
        "HANDSHAKE_FAILURE": (
            "it ended the TLS handshake; does it demand another client certificate"
            "{certificate}, or another version of TLS?"
        ),
        "WRONG_VERSION_NUMBER": "what is listening there does not speak TLS; is it for amqp://?",
        "RECORD_LAYER_FAILURE": "what is listening there does not speak TLS; is it for amqp://?",
    }
)


def with_tls_files(
    url: str, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> str:
    """Return ``url`` with these files among its options; those that it has already stay."""
    files = {_CA: ca, _CERTIFICATE: certificate, _KEY: key}
    given = {option: str(file) for option, file in files.items() if file is not None}
    if not given:
        return url
    return urlsplit(url)._replace(query=urlencode({**given, **_options(url)})).geturl()


def client_certificate(url: str) -> Path | None:
    """Return the file with the certificate that a connection to ``url`` shows, if it shows one."""
    return _file(url, _CERTIFICATE)


def trusted_authorities(url: str) -> Path | None:
    """Return the file with the CAs that a connection to ``url`` trusts, None for the system's."""
    return _file(url, _CA)


def tls_context(url: str) -> ssl.SSLContext | None:
    """Return what a connection to ``url`` is made with, None if it is not encrypted.

    It trusts the CA that ``cafile`` (or ``capath``, ``cadata``) names, else those of the system,
    checks the host's name, and shows ``certfile`` with the key in ``keyfile``, as aio-pika
    documents these options. The files are read each time, so that renewed ones count from the next
    connection on.

    Raises:
        BrokerTlsUnusable: a file cannot be read, or is not what it must be.

    """
    if urlsplit(url).scheme != "amqps":
        return None
    options = _options(url)
    context = _trusting(url, options)
    if options.get("no_verify_ssl", "0") != "0":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if _CERTIFICATE in options:
        _show_certificate(context, url, options)
    elif _KEY in options:
        raise BrokerTlsUnusable(url, f"{_VARIABLES[_KEY]} needs {_VARIABLES[_CERTIFICATE]}")
    return context


def tls_reason(url: str, error: ssl.SSLError) -> str:
    """Return what went wrong with TLS to ``url``, and what to do about it."""
    options = _options(url)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, urlsplit(url).hostname or "", options.get(_CA))
    file = options.get(_CERTIFICATE)
    certificate = f" in {file!r}" if file else ""
    for part, reason in _REASONS.items():
        if part in (error.reason or ""):
            return reason.format(certificate=certificate)
    return f"TLS failed: {error.reason or error}"


def closed_reason(url: str) -> str:
    """Return what it may mean that what listens at ``url`` closes new connections.

    In TLS 1.3 a broker that misses a client certificate says so after the handshake, and what it
    said is lost if the connection is reset.
    """
    if urlsplit(url).scheme != "amqps":
        return "it closed the connection at once; is it a port for TLS (amqps), or not RabbitMQ?"
    options = _options(url)
    if _CERTIFICATE in options:
        return (
            "it closed the connection after the TLS handshake; does it accept the client "
            f"certificate in {options[_CERTIFICATE]!r}, and is that one still valid?"
        )
    return (
        "it closed the connection after the TLS handshake; if it demands a client certificate, "
        f"set {_VARIABLES[_CERTIFICATE]} and {_VARIABLES[_KEY]}"
    )


def _file(url: str, option: str) -> Path | None:
    file = _options(url).get(option)
    return None if file is None or urlsplit(url).scheme != "amqps" else Path(file)


def _options(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def _distrust(error: ssl.SSLCertVerificationError, host: str, ca: str | None) -> str:
    match error.verify_code:
        case code if code in _OTHER_NAME:
            return (
                f"its TLS certificate is not for {host!r}; write the host in the address as in "
                "the certificate, or have one issued for it"
            )
        case code if code in _UNKNOWN_ISSUER and ca is None:
            return (
                "its TLS certificate is of no CA that this machine trusts; "
                f"set {_VARIABLES[_CA]} to the file with that CA's certificate"
            )
        case code if code in _UNKNOWN_ISSUER:
            return (
                f"its TLS certificate is not of the CA in {ca!r}; "
                f"set {_VARIABLES[_CA]} to the file with the certificate of its CA"
            )
        case code if code == _EXPIRED:
            return "its TLS certificate has expired; renew it on the broker"
        case code if code == _NOT_YET_VALID:
            return "its TLS certificate is not valid yet; are the clocks right?"
        case _:
            return f"its TLS certificate is not trusted: {error.verify_message}"


def _trusting(url: str, options: Mapping[str, str]) -> ssl.SSLContext:
    file = options.get(_CA)
    if file is not None:
        _check_certificate(url, _CA, file)
    try:
        data = b64decode(options["cadata"]) if "cadata" in options else None
        return ssl.create_default_context(cafile=file, capath=options.get("capath"), cadata=data)
    except (OSError, ValueError) as error:
        raise BrokerTlsUnusable(url, f"its options cadata and capath: {error}") from None


def _show_certificate(context: ssl.SSLContext, url: str, options: Mapping[str, str]) -> None:
    certificate = options[_CERTIFICATE]
    _check_certificate(url, _CERTIFICATE, certificate)
    option = _KEY if _KEY in options else _CERTIFICATE
    key = options[option]
    encrypted = b"ENCRYPTED" in _content(url, option, key)
    try:
        # An empty password, since OpenSSL would else ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if encrypted:
            reason = "holds a private key with a passphrase; write it to a file without one"
        elif error.reason == "KEY_VALUES_MISMATCH":
            reason = f"holds a private key that is not of the certificate in {certificate!r}"
        else:
            reason = "holds no private key in PEM format"
        raise BrokerTlsUnusable(url, f"{_VARIABLES[option]} ({key!r}) {reason}") from None


def _check_certificate(url: str, option: str, file: str) -> None:
    _content(url, option, file)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise BrokerTlsUnusable(
            url, f"{_VARIABLES[option]} ({file!r}) holds no certificate in PEM format"
        ) from None


def _content(url: str, option: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise BrokerTlsUnusable(
            url, f"{_VARIABLES[option]} ({file!r}) cannot be read: {error.strerror}"
        ) from None
