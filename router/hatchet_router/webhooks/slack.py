"""Slack: events, slash commands and interactions of an app.

https://docs.slack.dev/authentication/verifying-requests-from-slack says how they are signed, and
https://docs.slack.dev/apis/events-api and /interactivity what they hold.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from hatchet_router.json_bodies import json_object, strict_json
from hatchet_router.refusals import Refusal
from hatchet_router.webhooks.declared import SignedJson
from hatchet_router.webhooks.providers import Provider, event_key
from hatchet_router.webhooks.requests import (
    Answer,
    WebhookEvent,
    WebhookRequest,
    required_text,
    time_of,
)
from hatchet_router.webhooks.signatures import Claim

__all__ = ["slack"]

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 100
_SIGNED: Final = SignedJson(
    signature_header="X-Slack-Signature",
    signature_prefix="v0=",
    signed="v0:{timestamp}:{body}",
    timestamp_header="X-Slack-Request-Timestamp",
)


def slack(name: str) -> Provider:
    """Return Slack, or one app of it, under ``name``."""
    return Provider(name, _SIGNED.claim, _read, patience_seconds=3.0)


def _read(name: str, request: WebhookRequest, claim: Claim) -> WebhookEvent | Answer:
    if request.header("Content-Type").partition(";")[0].strip().lower() == _FORM:
        return _of_form(name, _form(request.text), claim)
    data = request.json()
    kind = required_text(data, "type")
    if kind == "url_verification":
        return Answer({"challenge": required_text(data, "challenge")})
    if kind != "event_callback":  # such as app_rate_limited
        return WebhookEvent(event_key(name, kind), claim.fingerprint, _without_token(data))
    event = json_object(data.get("event"), "the body's 'event'")
    return WebhookEvent(
        key=event_key(name, required_text(event, "type", "the body's 'event'")),
        id=required_text(data, "event_id"),
        data=_without_token(data),
        time=time_of(data.get("event_time"), "the body's 'event_time'"),
    )


def _of_form(name: str, form: dict[str, str], claim: Claim) -> WebhookEvent | Answer:
    """Read a slash command or an interaction: Slack sends these once, and gives them no id."""
    if "payload" in form:
        payload = json_object(strict_json(form["payload"], "the payload"), "the payload")
        kind = f"interaction:{required_text(payload, 'type', 'the payload')}"
        return WebhookEvent(event_key(name, kind), claim.fingerprint, _without_token(payload))
    if "ssl_check" in form and "command" not in form:
        return Answer({})  # Slack looks whether our certificate is sound
    command = required_text(form, "command", "the form").removeprefix("/")
    return WebhookEvent(
        event_key(name, f"command:{command}"), claim.fingerprint, _without_token(form)
    )


def _form(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise Refusal("the body is no form of at most 100 fields in UTF-8") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refusal("a field of the form stands twice")
    return form


def _without_token(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the verification token, the secret that came before signatures."""
    return {name: value for name, value in data.items() if name != "token"}
