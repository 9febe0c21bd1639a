"""Stripe: https://docs.stripe.com/webhooks, "Verify webhook signatures manually"."""

from __future__ import annotations

from hatchet_router.webhooks.providers import Provider, event_key
from hatchet_router.webhooks.requests import WebhookEvent, WebhookRequest, required_text, time_of
from hatchet_router.webhooks.signatures import Claim, unix_seconds

__all__ = ["stripe"]


def stripe(name: str) -> Provider:
    """Return Stripe, or one account or endpoint of it, under ``name``."""
    return Provider(name, _claim, _read)


def _claim(request: WebhookRequest) -> Claim:
    """Read ``t=<seconds>,v1=<hex>``; there are several v1 while a secret is rolled."""
    pairs = [pair.partition("=")[::2] for pair in request.header("Stripe-Signature").split(",")]
    times = [value for name, value in pairs if name == "t"]
    timestamp = times[0] if len(times) == 1 else ""
    seconds = unix_seconds(timestamp)
    return Claim(
        signed=b"%b.%b" % (timestamp.encode(), request.body),
        signatures=tuple(value for name, value in pairs if name == "v1"),
        timestamp=seconds,
    )


def _read(name: str, request: WebhookRequest, _proven: Claim) -> WebhookEvent:
    """Read an event: ``id``, ``type`` and ``created`` are alike in both versions of their API."""
    data = request.json()
    return WebhookEvent(
        key=event_key(name, required_text(data, "type")),
        id=required_text(data, "id"),
        data=data,
        time=time_of(data.get("created"), "the event's 'created'"),
    )
