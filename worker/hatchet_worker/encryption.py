"""Encrypting what goes to Temporal, so that it and its database hold no data in plain text.

A payload is encrypted as a whole, its own metadata included, by XAES-256-GCM
(https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key derived for each payload, with a random
nonce of 24 bytes. AES-256-GCM alone has nonces of 12, of which a key bears 2^32 random ones (NIST
SP 800-38D); a busy deployment has gone through these within days.

Bound to each ciphertext are the cipher and the id of the key, not the workflow: the Temporal UI
asks a codec server without saying which one a payload is of, and a schedule's input is written
before its workflow ids are known.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from hatchet_schemas.names import ENCRYPTED
from hatchet_worker.encrypted import KEY_ID, key_id_of
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing
from hatchet_worker.errors import UndecryptablePayload, UnknownEncryptionKey

__all__ = ["EncryptionCodec", "opened", "sealed"]

_CIPHER: Final = "encryption-cipher"
_XAES: Final = b"XAES-256-GCM"
_NONCE_BYTES: Final = 24
_BLOCK_BYTES: Final = 16
_BLOCK: Final = (1 << 8 * _BLOCK_BYTES) - 1
_REDUCTION: Final = 0x87  # of the polynomial of GF(2^128), NIST SP 800-38B


class EncryptionCodec(PayloadCodec):
    """Encrypts by the newest key, and decrypts by the key that a payload names.

    What is in plain text stays as it is when it is decoded: it was written before there were keys.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return ``payloads`` encrypted."""
        return [_sealed(self._keys.newest, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return ``payloads`` decrypted.

        Raises:
            UnknownEncryptionKey: one was encrypted by a key that is not among ours.
            UndecryptablePayload: one is not what its key has encrypted.

        """
        return [self._opened(payload) for payload in payloads]

    def _opened(self, payload: Payload) -> Payload:
        key_id = key_id_of(payload)
        if key_id is None:
            return payload
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownEncryptionKey(key_id, tuple(each.id for each in self._keys.keys))
        if payload.metadata.get(_CIPHER) != _XAES:
            raise UndecryptablePayload(key_id, "its cipher is unknown to this release")
        try:
            return Payload.FromString(opened(key.secret, payload.data, _bound(key)))
        except (InvalidTag, DecodeError, ValueError):
            raise UndecryptablePayload(
                key_id, "it was changed, or encrypted by another key of this id"
            ) from None


def sealed(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return XAES-256-GCM of ``plain``, without the nonce; ``bound`` is the associated data."""
    derived = _derived(key, nonce[:12])
    return AESGCM(derived).encrypt(nonce[12:], plain, bound)


def opened(key: bytes, data: bytes, bound: bytes) -> bytes:
    """Return what was sealed; ``data`` has the nonce before it.

    Raises:
        InvalidTag: key, data or what is bound to it is another one.
        ValueError: it is too short to be anything.

    """
    nonce = data[:_NONCE_BYTES]
    return AESGCM(_derived(key, nonce[:12])).decrypt(nonce[12:], data[_NONCE_BYTES:], bound)


def _sealed(key: EncryptionKey, payload: Payload) -> Payload:
    nonce = os.urandom(_NONCE_BYTES)
    return Payload(
        metadata={"encoding": ENCRYPTED, _CIPHER: _XAES, KEY_ID: key.id.encode()},
        data=nonce + sealed(key.secret, nonce, payload.SerializeToString(), _bound(key)),
    )


def _bound(key: EncryptionKey) -> bytes:
    return b"hatchet payload\0%s\0%s" % (_XAES, key.id.encode())


def _derived(key: bytes, nonce: bytes) -> bytes:
    """Return the key of one payload: two blocks of AES-CMAC in counter mode (NIST SP 800-108)."""
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - a block at a time
    whole = int.from_bytes(aes.update(bytes(_BLOCK_BYTES)))
    mask = (whole << 1 & _BLOCK) ^ (_REDUCTION if whole >> 127 else 0)

    def block(number: int) -> bytes:
        counted = int.from_bytes(bytes([0, number]) + b"X\0" + nonce)
        return aes.update((counted ^ mask).to_bytes(_BLOCK_BYTES))

    return block(1) + block(2)
