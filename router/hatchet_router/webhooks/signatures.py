"""Signatures of requests: HMACs over the body, mostly together with the time of sending."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Algorithm", "BadSignature", "Claim", "Digest", "Encoding", "check", "unix_seconds"]

Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]

_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class BadSignature(ValueError):
    """A request is not proven to be the provider's; the text is for our logs, not for the sender.

    ``reason`` is a stable name for it.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says: that somebody who has the secret has signed these bytes.

    ``signatures`` are as they were sent, without what marks them as signatures; one has to be
    right. ``timestamp`` is in seconds since 1970, and a part of what is ``signed``.
    """

    signed: bytes
    signatures: tuple[str, ...]
    timestamp: int | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of what is signed: the id of an event that has none of its own."""
        return hashlib.sha256(self.signed).hexdigest()


@dataclass(frozen=True, slots=True)
class Digest:
    """How signatures are made (HMAC, RFC 2104) and written."""

    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"

    def of(self, key: bytes, signed: bytes) -> bytes:
        """Return the signature of ``signed``, as it is written."""
        digest = hmac.digest(key, signed, self.algorithm)
        return digest.hex().encode() if self.encoding == "hex" else base64.b64encode(digest)

    def written(self, signature: str) -> bytes:
        """Return a signature as `of` would write it: hex digits may be capitals."""
        text = signature.lower() if self.encoding == "hex" else signature
        return text.encode("utf-8", "surrogatepass")


def check(
    claim: Claim,
    keys: Sequence[bytes],
    *,
    digest: Digest,
    now: float,
    tolerance_seconds: float,
) -> None:
    """Return if the claim is true: signed with one of ``keys``, within the tolerance of ``now``.

    How long it takes does not depend on how much of a signature is right.

    Raises:
        BadSignature: it is not true.

    """
    if not claim.signatures:
        raise BadSignature("no-signature", "the request has no signature, or in another form")
    expected = [digest.of(key, claim.signed) for key in keys]
    written = [digest.written(signature) for signature in claim.signatures]
    equal = [hmac.compare_digest(one, other) for one in expected for other in written]
    if not any(equal):
        raise BadSignature("wrong-signature", "no signature is right: another secret, or a forgery")
    if claim.timestamp is None:
        return
    age = now - claim.timestamp
    if abs(age) > tolerance_seconds:
        when = f"{age:.0f} s ago" if age > 0 else f"{-age:.0f} s from now, by our clock"
        raise BadSignature(
            "wrong-time",
            f"the request was signed {when}; at most {tolerance_seconds:g} s are tolerated",
        )


def unix_seconds(text: str) -> int:
    """Return the seconds since 1970 that ``text`` is.

    Raises:
        BadSignature: it is something else, or nothing.

    """
    if _UNIX_SECONDS.fullmatch(text) is None:
        raise BadSignature("no-timestamp", "the request has no time of signing in seconds")
    return int(text)
