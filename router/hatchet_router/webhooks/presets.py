"""The providers that need no description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from hatchet_router.webhooks.declared import SignedJson
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.slack import slack
from hatchet_router.webhooks.stripe import stripe

__all__ = ["PRESETS"]

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
_GITHUB: Final = SignedJson(
    signature_header="X-Hub-Signature-256",
    signature_prefix="sha256=",
    id_header="X-GitHub-Delivery",
    type_header="X-GitHub-Event",
    type_field="action",
)

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_STANDARD_WEBHOOKS: Final = SignedJson(
    signature_header="webhook-signature",
    signature_prefix="v1,",
    encoding="base64",
    signed="{id}.{timestamp}.{body}",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
    type_field="type",
    key="base64",
)

PRESETS: Final[Mapping[str, Callable[[str], Provider]]] = MappingProxyType(
    {
        "github": _GITHUB.provider,
        "slack": slack,
        "standard-webhooks": _STANDARD_WEBHOOKS.provider,
        "stripe": stripe,
    }
)
"""What makes a provider of a name, by the name of the preset."""
