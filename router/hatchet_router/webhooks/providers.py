"""What is known of a provider: how its requests are signed, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import StringConstraints

from hatchet_router.webhooks.requests import Answer, WebhookEvent, WebhookRequest
from hatchet_router.webhooks.signatures import Claim, Digest

__all__ = ["Provider", "ProviderName", "event_key", "signing_key"]

ProviderName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=50, strict=True)
]
"""A provider's name, the last part of its path: small letters, digits and ``-``."""

_NOT_IN_KEYS: Final = re.compile(r"[^A-Za-z0-9._:/@-]")


def signing_key(secret: str) -> bytes:
    """Return the key that a secret is: its text in UTF-8.

    Raises:
        ValueError: it is nothing but white space, which anybody could guess.

    """
    if not secret.strip():
        raise ValueError("it is blank")
    return secret.encode()


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as its documents describe its requests.

    ``claim`` says what is signed, and raises `BadSignature` where nothing is; ``read`` gets what
    was proven, and raises a `Refusal` for what it cannot read. ``key`` makes the key of a secret,
    or raises ValueError. The provider waits ``patience_seconds`` for an answer, at the least.
    """

    name: str
    claim: Callable[[WebhookRequest], Claim]
    read: Callable[[str, WebhookRequest, Claim], WebhookEvent | Answer]
    digest: Digest = field(default_factory=Digest)
    key: Callable[[str], bytes] = signing_key
    patience_seconds: float = 10.0

    @property
    def source(self) -> str:
        """The source of its events, so that no other provider can take their ids."""
        return f"/webhooks/{self.name}"

    @property
    def secret_names(self) -> tuple[str, str]:
        """The names of its signing secret, and of the other one while they are exchanged."""
        name = f"{self.name.upper().replace('-', '_')}_SIGNING_SECRET"
        return name, f"{name}_2"


def event_key(provider: str, kind: str) -> str:
    """Return the key of an event; what a key cannot hold becomes ``_``."""
    return f"{provider}:{_NOT_IN_KEYS.sub('_', kind)}"
