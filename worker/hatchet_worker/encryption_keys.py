"""The keys by which data is encrypted before it goes to Temporal."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hatchet_worker.errors import SettingsError
from hatchet_worker.settings import SECRETS_FOLDER

__all__ = ["EncryptionKey", "KeyRing", "key_ring"]

_KEYS: Final = "HATCHET_ENCRYPTION_KEYS"
_FILE: Final = "HATCHET_ENCRYPTION_KEYS_FILE"
_SECRETS_DIR: Final = "HATCHET_SECRETS_DIR"
_KEY_BYTES: Final = 32
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HOW: Final = "expected <id>:<key>, the key 32 random bytes as base64 (openssl rand -base64 32)"


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A key of 32 bytes, and the id by which what it has encrypted names it.

    Raises:
        SettingsError: it has another length.

    """

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != _KEY_BYTES:
            raise SettingsError(
                f"the encryption key {self.id!r} has {len(self.secret)} bytes: "
                f"expected {_KEY_BYTES} random ones"
            )


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys, the newest first: that one encrypts, and all of them decrypt.

    Raises:
        SettingsError: there is none, or two have the same id.

    """

    keys: tuple[EncryptionKey, ...]

    def __post_init__(self) -> None:
        ids = [key.id for key in self.keys]
        if not ids:
            raise SettingsError("there is no encryption key to encrypt with")
        if len(set(ids)) < len(ids):
            raise SettingsError(f"two encryption keys have the same id, of {', '.join(ids)}")

    @property
    def newest(self) -> EncryptionKey:
        """The key that encrypts."""
        return self.keys[0]

    def get(self, key_id: str) -> EncryptionKey | None:
        """Return the key with this id, if there is one."""
        return next((key for key in self.keys if key.id == key_id), None)


def key_ring(environment: Mapping[str, str]) -> KeyRing | None:
    """Return the keys that ``HATCHET_ENCRYPTION_KEYS``, or the file of ``…_FILE``, lists.

    None if neither is set: nothing is encrypted then. Each is ``<id>:<key>``, with white space or
    commas between; in the file, what follows a ``#`` does not count.

    Raises:
        SettingsError: they are not as they must be; it shows no key.

    """
    text, file = environment.get(_KEYS), environment.get(_FILE)
    if text and file:
        raise SettingsError(f"{_KEYS} and {_FILE} are both set: set one")
    if text:
        return KeyRing(_keys(text, _KEYS))
    if file:
        _check_place(Path(file), environment)
        return KeyRing(_keys(_content(file), f"{_FILE} ({file!r})"))
    return None


def _check_place(file: Path, environment: Mapping[str, str]) -> None:
    """Keep keys from where any workflow file could name them as a secret."""
    folder = Path(environment.get(_SECRETS_DIR) or SECRETS_FOLDER)
    if file.parent.resolve() == folder.resolve() or file.resolve().is_relative_to(folder.resolve()):
        raise SettingsError(
            f"{_FILE} ({str(file)!r}) lies in the folder of secrets, where templates of any "
            f"workflow can name it: put it elsewhere, or set {_SECRETS_DIR} to another folder"
        )


def _content(file: str) -> str:
    try:
        lines = Path(file).read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise SettingsError(f"{_FILE} ({file!r}) cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{_FILE} ({file!r}) is no list of keys: {_HOW}") from None
    return "\n".join(line.partition("#")[0] for line in lines)


def _keys(text: str, place: str) -> tuple[EncryptionKey, ...]:
    keys: dict[str, EncryptionKey] = {}
    for number, entry in enumerate(text.replace(",", " ").split(), start=1):
        key = _key(entry, f"{place}, key {number}")
        if key.id in keys:
            raise SettingsError(f"{place} has two keys with the id {key.id!r}")
        keys[key.id] = key
    if not keys:
        raise SettingsError(f"{place} has no key: {_HOW}")
    return tuple(keys.values())


def _key(entry: str, place: str) -> EncryptionKey:
    key_id, _, encoded = entry.partition(":")
    if not encoded or _ID.fullmatch(key_id) is None:
        raise SettingsError(f"{place}: {_HOW}; an id has letters, digits, '.', '_' and '-'")
    try:
        secret = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise SettingsError(f"{place} ({key_id!r}): {_HOW}")
    return EncryptionKey(key_id, secret)
