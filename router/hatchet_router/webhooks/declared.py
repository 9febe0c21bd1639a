"""Providers that are described by what their requests hold: an HMAC in a header, a JSON object."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from hatchet_router.refusals import Refusal, shown
from hatchet_router.webhooks.providers import Provider, event_key, signing_key
from hatchet_router.webhooks.requests import WebhookEvent, WebhookRequest
from hatchet_router.webhooks.signatures import Algorithm, Claim, Digest, Encoding, unix_seconds
from hatchet_schemas.model import Model

__all__ = ["SignedJson"]

_HeaderName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=100, strict=True)
]
_FieldPath = Annotated[
    str, StringConstraints(pattern=r"^[^.]+(\.[^.]+)*$", max_length=200, strict=True)
]
_PARTS: Final = re.compile(r"\{([^{}]*)\}|[{}]")
_KNOWN_PARTS: Final = frozenset({"body", "id", "timestamp"})
_STANDARD_PREFIX: Final = "whsec_"


class SignedJson(Model):
    """How the requests of a provider are signed, and where their ids and types are."""

    signature_header: Annotated[_HeaderName, Field(alias="signature-header")]
    """The header with the signature, or with several of them and spaces between."""

    signature_prefix: Annotated[str, Field(alias="signature-prefix", max_length=20)] = ""
    """What stands before each signature; those with another prefix are passed over."""

    algorithm: Algorithm = "sha256"
    """The hash of the HMAC."""

    encoding: Encoding = "hex"
    """How signatures are written."""

    signed: Annotated[str, Field(max_length=200)] = "{body}"
    """What is signed, with ``{body}``, ``{timestamp}`` and ``{id}`` for parts of the request."""

    timestamp_header: Annotated[_HeaderName | None, Field(alias="timestamp-header")] = None
    """The header with the time of signing, in seconds since 1970."""

    id_header: Annotated[_HeaderName | None, Field(alias="id-header")] = None
    """The header with the event's id."""

    id_field: Annotated[_FieldPath | None, Field(alias="id-field")] = None
    """The field of the body with the event's id; dots lead into objects."""

    type_header: Annotated[_HeaderName | None, Field(alias="type-header")] = None
    """The header that says what happened, for the event's key."""

    type_field: Annotated[_FieldPath | None, Field(alias="type-field")] = None
    """The field of the body that says what happened; beside a header it may be missing."""

    key: Literal["text", "base64"] = "text"
    """Whether the key is the secret's text, or what it encodes, ``whsec_`` before it or not."""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        parts = {found[1] for found in _PARTS.finditer(self.signed)}
        if not parts <= _KNOWN_PARTS or "body" not in parts:
            raise ValueError("signed holds {body}, and perhaps {timestamp} and {id}, nothing else")
        if ("timestamp" in parts) != (self.timestamp_header is not None):
            raise ValueError(
                "timestamp-header and {timestamp} in signed go together: "
                "a time that is not signed proves nothing"
            )
        if "id" in parts and self.id_header is None:
            raise ValueError("{id} in signed needs an id-header")
        if self.id_header is not None and self.id_field is not None:
            raise ValueError("there is an id-header or an id-field, not both")
        return self

    def provider(self, name: str) -> Provider:
        """Return the provider that this describes, under ``name``."""
        return Provider(
            name,
            self.claim,
            self._event,
            digest=Digest(self.algorithm, self.encoding),
            key=signing_key if self.key == "text" else _of_base64,
        )

    def claim(self, request: WebhookRequest) -> Claim:
        """Return what a request says is signed.

        Raises:
            BadSignature: it has no time of signing, and should.

        """
        parts = {"body": request.body}
        seconds = None
        if self.timestamp_header is not None:
            timestamp = request.header(self.timestamp_header)
            seconds = unix_seconds(timestamp)
            parts["timestamp"] = timestamp.encode()
        if self.id_header is not None:
            # Octets that are no UTF-8 come as surrogates (PEP 383).
            parts["id"] = request.header(self.id_header).encode("utf-8", "surrogateescape")
        prefix = self.signature_prefix
        return Claim(
            signed=_filled(self.signed, parts),
            signatures=tuple(
                signature.removeprefix(prefix)
                for signature in request.header(self.signature_header).split()
                if signature.startswith(prefix)
            ),
            timestamp=seconds,
        )

    def _event(self, name: str, request: WebhookRequest, claim: Claim) -> WebhookEvent:
        data = request.json()
        event_id = claim.fingerprint
        if self.id_header is not None:
            event_id = _required_header(request, self.id_header)
        elif self.id_field is not None:
            event_id = _required_field(data, self.id_field)
        kinds: list[str] = []
        if self.type_header is not None:
            kinds.append(_required_header(request, self.type_header))
        if self.type_field is not None and not (kinds and _field(data, self.type_field) is None):
            kinds.append(_required_field(data, self.type_field))
        key = event_key(name, ".".join(kinds)) if kinds else name
        return WebhookEvent(key, event_id, data)


def _filled(template: str, parts: Mapping[str, bytes]) -> bytes:
    filled = b""
    end = 0
    for found in _PARTS.finditer(template):
        filled += template[end : found.start()].encode() + parts[found[1]]
        end = found.end()
    return filled + template[end:].encode()


def _required_header(request: WebhookRequest, name: str) -> str:
    value = request.header(name)
    if not value:
        raise Refusal(f"the request has no header {name}")
    return value


def _required_field(data: Mapping[str, Any], path: str) -> str:
    value = _field(data, path)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise Refusal(f"the body has {shown(value)} as {path!r}, expected a text or a number")
    return str(value)


def _field(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _of_base64(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):  # ValueError: it is not ASCII
        raise ValueError("it is not base64") from None
    if not key:
        raise ValueError("it is empty")
    return key
