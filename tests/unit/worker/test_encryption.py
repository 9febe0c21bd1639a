"""Encrypting what goes to Temporal: keys, the cipher, and what cannot be decrypted."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from hatchet_worker import SettingsError, TemporalSettings, connect
from hatchet_worker.encrypted import KeylessPayloadConverter, check_readable
from hatchet_worker.encryption import EncryptionCodec, opened, sealed
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing, key_ring
from hatchet_worker.errors import UndecryptablePayload, UnknownEncryptionKey

OLD, NEW = EncryptionKey("old", bytes(range(32))), EncryptionKey("new", bytes(range(32, 64)))
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"email": "ada@example.com"}')


def entry(key: EncryptionKey) -> str:
    """Return a key as it is given."""
    return f"{key.id}:{base64.b64encode(key.secret).decode()}"


@pytest.mark.parametrize(
    ("key", "bound", "expected"),
    [
        (b"\1", b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (
            b"\3",
            b"c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ],
)
def test_the_cipher_is_that_of_its_specification(key: bytes, bound: bytes, expected: str) -> None:
    """The test vectors of c2sp.org/XAES-256-GCM, one for each most significant bit."""
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"

    found = sealed(key * 32, nonce, b"XAES-256-GCM", bound)

    assert found.hex() == expected
    assert opened(key * 32, nonce + found, bound) == b"XAES-256-GCM"


@given(st.binary(max_size=200), st.integers(min_value=0), st.integers(0, 7))
def test_no_bit_of_what_is_sealed_can_be_changed(plain: bytes, place: int, bit: int) -> None:
    nonce = bytes(24)
    data = bytearray(nonce + sealed(OLD.secret, nonce, plain, b"bound"))
    data[place % len(data)] ^= 1 << bit

    with pytest.raises(InvalidTag):
        opened(OLD.secret, bytes(data), b"bound")


async def test_what_is_encoded_shows_nothing_and_never_looks_the_same() -> None:
    codec = EncryptionCodec(KeyRing((NEW, OLD)))

    one, two = await codec.encode([PLAIN, PLAIN])

    assert one.data != two.data
    assert b"ada" not in one.SerializeToString()
    assert b"json" not in one.SerializeToString()
    assert one.metadata["encryption-key-id"] == b"new"
    assert await codec.decode([one, two]) == [PLAIN, PLAIN]


async def test_an_old_key_still_decrypts() -> None:
    written = await EncryptionCodec(KeyRing((OLD,))).encode([PLAIN])

    assert await EncryptionCodec(KeyRing((NEW, OLD))).decode(written) == [PLAIN]


async def test_what_was_never_encrypted_is_still_read() -> None:
    assert await EncryptionCodec(KeyRing((NEW,))).decode([PLAIN]) == [PLAIN]


async def test_a_key_that_is_not_given_is_named() -> None:
    written = await EncryptionCodec(KeyRing((OLD,))).encode([PLAIN])

    with pytest.raises(UnknownEncryptionKey, match=r"'old', which is not among those .*\('new'\)"):
        await EncryptionCodec(KeyRing((NEW,))).decode(written)
    with pytest.raises(UnknownEncryptionKey, match="'old', which is not given at all"):
        check_readable(written[0])
    with pytest.raises(UnknownEncryptionKey, match="HATCHET_ENCRYPTION_KEYS_FILE"):
        KeylessPayloadConverter().from_payloads(written)


def test_converters_share_what_they_know_of_types() -> None:
    """The SDK makes several for each workflow task."""
    [payload] = KeylessPayloadConverter().to_payloads([{"user": "ada"}])

    assert KeylessPayloadConverter().from_payloads([payload], [dict[str, str]]) == [{"user": "ada"}]
    assert KeylessPayloadConverter().converters is KeylessPayloadConverter().converters


async def test_what_another_key_of_the_same_id_wrote_is_told() -> None:
    [written] = await EncryptionCodec(KeyRing((OLD,))).encode([PLAIN])
    other = EncryptionCodec(KeyRing((EncryptionKey("old", NEW.secret),)))
    later = Payload(data=written.data, metadata={**written.metadata, "encryption-cipher": b"X"})
    short = Payload(data=b"", metadata=written.metadata)

    for payload, reason in [
        (written, "another key of this id"),
        (later, "unknown to this release"),
        (short, "was changed"),
    ]:
        with pytest.raises(UndecryptablePayload, match=f"by the key 'old': .*{reason}"):
            await other.decode([payload])


async def test_a_payload_cannot_be_passed_off_as_of_another_key() -> None:
    """Its key's id is bound to it."""
    [written] = await EncryptionCodec(KeyRing((OLD,))).encode([PLAIN])
    renamed = Payload(
        data=written.data, metadata={**written.metadata, "encryption-key-id": b"renamed"}
    )

    with pytest.raises(UndecryptablePayload):
        await EncryptionCodec(KeyRing((EncryptionKey("renamed", OLD.secret),))).decode([renamed])


def test_keys_are_read_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """The first one encrypts, and none shows."""
    file = tmp_path / "keys"
    file.write_text(f"# since spring\n{entry(NEW)} # in use\n\n{entry(OLD)}\n")
    both = KeyRing((NEW, OLD))

    assert key_ring({"HATCHET_ENCRYPTION_KEYS": f"{entry(NEW)}, {entry(OLD)}"}) == both
    assert key_ring({"HATCHET_ENCRYPTION_KEYS_FILE": str(file)}) == both
    assert key_ring({}) is None
    settings = TemporalSettings.from_environment({"HATCHET_ENCRYPTION_KEYS": entry(NEW)})
    assert settings.keys == KeyRing((NEW,))
    assert "secret" not in repr(both)
    assert "keys" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k1", "HATCHET_ENCRYPTION_KEYS, key 1: expected <id>:<key>"),
        (":aGVsbG8=", "key 1: expected <id>:<key>"),
        ("k 1:aGVsbG8=", "key 1: expected <id>:<key>"),
        ("k1:c2hvcnQ=", r"key 1 \('k1'\): expected .* 32 random bytes"),
        ("k1:???", r"key 1 \('k1'\): expected .* base64"),
        (f"{entry(NEW)} {entry(NEW)}", "two keys with the id 'new'"),
        (",", "has no key: expected"),
    ],
)
def test_keys_that_are_none_are_refused_unseen(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        key_ring({"HATCHET_ENCRYPTION_KEYS": text})

    assert text.partition(":")[2] not in str(caught.value) or ":" not in text


def test_keys_that_a_program_hands_over_are_checked() -> None:
    with pytest.raises(SettingsError, match="'k' has 5 bytes: expected 32"):
        EncryptionKey("k", b"short")
    with pytest.raises(SettingsError, match="no encryption key"):
        KeyRing(())
    with pytest.raises(SettingsError, match="the same id, of new, new"):
        KeyRing((NEW, NEW))


async def test_keys_without_what_encrypts_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes out in plain text because an extra was forgotten."""
    monkeypatch.setitem(sys.modules, "hatchet_worker.encryption", None)

    with pytest.raises(SettingsError, match=r"pip install 'hatchet-workflows\[encryption\]'"):
        await connect(TemporalSettings(keys=KeyRing((NEW,))))


def test_files_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    given = {"HATCHET_ENCRYPTION_KEYS_FILE": str(file)}
    with pytest.raises(SettingsError, match=r"\('.*keys'\) cannot be read: No such file"):
        key_ring(given)
    file.write_text(entry(NEW))
    with pytest.raises(SettingsError, match="both set"):
        key_ring({**given, "HATCHET_ENCRYPTION_KEYS": entry(NEW)})
    with pytest.raises(SettingsError, match="in the folder of secrets, where templates"):
        key_ring({**given, "HATCHET_SECRETS_DIR": str(tmp_path)})


@pytest.mark.parametrize("place", ["secrets/..data/keys", "link"])
def test_a_file_that_is_in_the_folder_of_secrets_after_all_is_refused(
    tmp_path: Path, place: str
) -> None:
    """As Kubernetes has it, or by a link: a template could name it."""
    version = tmp_path / "secrets" / "..version"
    version.mkdir(parents=True)
    (version / "keys").write_text(entry(NEW))
    (tmp_path / "secrets" / "..data").symlink_to("..version")
    (tmp_path / "secrets" / "keys").symlink_to("..data/keys")
    (tmp_path / "link").symlink_to("secrets/keys")

    with pytest.raises(SettingsError, match="in the folder of secrets, where templates"):
        key_ring(
            {
                "HATCHET_ENCRYPTION_KEYS_FILE": str(tmp_path / place),
                "HATCHET_SECRETS_DIR": str(tmp_path / "secrets"),
            }
        )
