"""What encrypted payloads look like, for those who have no keys to read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NoReturn

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import EncodingPayloadConverter

from hatchet_schemas.names import ENCRYPTED
from hatchet_worker.errors import UnknownEncryptionKey

__all__ = ["KEY_ID", "KeylessPayloadConverter", "check_readable", "key_id_of"]

KEY_ID: Final = "encryption-key-id"


def key_id_of(payload: Payload) -> str | None:
    """Return the id of the key that encrypted ``payload``, None if it is in plain text."""
    if payload.metadata.get("encoding") != ENCRYPTED:
        return None
    return payload.metadata.get(KEY_ID, b"").decode(errors="replace")


def check_readable(payload: Payload) -> None:
    """Find a payload that nobody has decrypted.

    Raises:
        UnknownEncryptionKey: it is such a one.

    """
    key_id = key_id_of(payload)
    if key_id is not None:
        raise UnknownEncryptionKey(key_id, ())


class _Unreadable(EncodingPayloadConverter):
    """Says of an encrypted payload that it is one."""

    @property
    def encoding(self) -> str:
        return ENCRYPTED.decode()

    def to_payload(self, value: Any) -> Payload | None:  # noqa: ARG002 - it takes none
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:  # noqa: ARG002
        raise UnknownEncryptionKey(key_id_of(payload) or "", ())


class KeylessPayloadConverter(PydanticPayloadConverter):
    """Temporal's converter for pydantic models, which tells what is encrypted from the unknown.

    The SDK makes some for every workflow task: all are made of the same parts, and of what these
    have learned about types.
    """

    def __init__(self) -> None:
        self.converters = _converters()


@cache
def _converters() -> Mapping[bytes, EncodingPayloadConverter]:
    unreadable = _Unreadable()
    converters = PydanticPayloadConverter().converters
    return MappingProxyType({**converters, unreadable.encoding.encode(): unreadable})
