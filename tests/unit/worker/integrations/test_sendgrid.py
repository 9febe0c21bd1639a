"""SendGrid's v3 mail/send, as its API reference tells it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.unit.worker.integrations.conftest import (
    HANG,
    TOKEN,
    Provider,
    Reply,
    out_of_time,
    performed,
    told,
)

from hatchet_worker import InvalidInput, Retry
from hatchet_worker.integrations.sendgrid import SendGrid
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
)

EMAIL = {"to": "ada@example.com", "from": "hello@example.com", "subject": "Hi", "text": "Hello."}
TAKEN = Reply("", 202, {"X-Message-Id": "14c5d75ce93.dfd.64b469"})


def errors(*errors: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an answer that tells ``errors``."""
    return {"errors": list(errors)}


async def test_an_email_with_all_its_fields(provider: Provider) -> None:
    provider.answers("POST /v3/mail/send", TAKEN)

    outputs = await performed(
        SendGrid(url=provider.url),
        "send-email",
        {
            "to": ["ada@example.com", "Grace Hopper <grace@example.com>"],
            "cc": "cc@example.com",
            "bcc": ["bcc@example.com"],
            "from": "Hatchet <hello@example.com>",
            "reply_to": "help@example.com",
            "subject": "Hi",
            "html": "<p>Hello.</p>",
            "text": "Hello.",
            "categories": ["greeting"],
            "custom_args": {"order": "42"},
        },
    )

    assert outputs == {"message_id": "14c5d75ce93.dfd.64b469"}
    (request,) = provider.received
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.json == {
        "personalizations": [
            {
                "to": [
                    {"email": "ada@example.com"},
                    {"email": "grace@example.com", "name": "Grace Hopper"},
                ],
                "cc": [{"email": "cc@example.com"}],
                "bcc": [{"email": "bcc@example.com"}],
            }
        ],
        "from": {"email": "hello@example.com", "name": "Hatchet"},
        "reply_to": {"email": "help@example.com"},
        "subject": "Hi",
        "content": [
            {"type": "text/plain", "value": "Hello."},
            {"type": "text/html", "value": "<p>Hello.</p>"},
        ],
        "categories": ["greeting"],
        "custom_args": {"order": "42"},
    }


async def test_a_dynamic_template_with_the_integrations_sender(provider: Provider) -> None:
    provider.answers("POST /v3/mail/send", TAKEN)
    sendgrid = SendGrid(sender="hello@example.com", template="d-c6dcd1f7", url=provider.url)

    await performed(
        sendgrid, "email-from-template", {"firstName": "Ada", "email": "ada@example.com"}
    )

    assert provider.received[0].json == {
        "personalizations": [
            {
                "to": [{"email": "ada@example.com"}],
                "dynamic_template_data": {"firstName": "Ada", "email": "ada@example.com"},
            }
        ],
        "from": {"email": "hello@example.com"},
        "template_id": "d-c6dcd1f7",
    }


async def test_options_come_from_the_environment(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answers("POST /v3/mail/send", TAKEN)
    monkeypatch.setenv("HATCHET_SENDGRID_SENDER", "hello@example.com")
    monkeypatch.setenv("HATCHET_SENDGRID_TEMPLATE", "d-c6dcd1f7")
    monkeypatch.setenv("HATCHET_SENDGRID_URL", provider.url)

    await performed(SendGrid(), "email-from-template", {"to": "ada@example.com"})

    body = provider.received[0].json
    assert (body["from"], body["template_id"]) == ({"email": "hello@example.com"}, "d-c6dcd1f7")


@pytest.mark.parametrize(
    ("reply", "raised", "text"),
    [
        (
            Reply(
                errors({"field": "from.email", "message": "Not a valid address.", "help": None}),
                400,
            ),
            Refused,
            "sendgrid: 400: from.email: Not a valid address.",
        ),
        (
            Reply(errors({"field": None, "message": "authorization grant is invalid"}), 401),
            Refused,
            "sendgrid: 401: authorization grant is invalid (is the secret SENDGRID_API_KEY",
        ),
        (Reply("too large", 413), Refused, "sendgrid: 413: no reason given"),
        (
            Reply(errors({"field": None, "message": "too many requests"}), 429),
            Throttled,
            "sendgrid: 429: too many requests",
        ),
        (Reply("", 503), Throttled, "sendgrid: 503: no reason given"),
        (Reply({"errors": "?"}, 500), ProviderFailed, "sendgrid: 500: no reason given"),
    ],
)
async def test_what_goes_wrong_is_sorted(
    reply: Reply, raised: type[ProviderError], text: str, provider: Provider
) -> None:
    provider.answers("POST /v3/mail/send", reply)

    with pytest.raises(raised) as caught:
        await performed(SendGrid(url=provider.url), "send-email", EMAIL)
    assert text in str(caught.value)
    assert TOKEN not in told(caught.value)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"X-RateLimit-Reset": str(int(time.time()) + 36_000)}, 30_000, 36_000),
        ({"X-RateLimit-Reset": "1392815263"}, 0, 1),
    ],
)
async def test_it_says_when_to_come_back(
    headers: dict[str, str], least: float, most: float, provider: Provider
) -> None:
    provider.answers("POST /v3/mail/send", Reply("", 429, headers))

    with pytest.raises(Retry) as caught:
        await performed(SendGrid(url=provider.url), "send-email", EMAIL)
    assert caught.value.after is not None
    assert least <= caught.value.after.total_seconds() <= most


async def test_without_an_answer_nobody_knows_whether_it_was_sent(provider: Provider) -> None:
    provider.answers("POST /v3/mail/send", HANG)
    sendgrid = SendGrid(url=provider.url)

    with pytest.raises(ProviderFailed, match="no answer within") as caught:
        await performed(sendgrid, "send-email", EMAIL, context=out_of_time(sendgrid))
    assert not isinstance(caught.value, Retry)


async def test_without_a_connection_nothing_was_sent() -> None:
    with pytest.raises(Unreachable):
        await performed(SendGrid(url="http://127.0.0.1:1"), "send-email", EMAIL)


@pytest.mark.parametrize(
    ("verb", "data", "text"),
    [
        ("send-email", EMAIL | {"tag": "greeting"}, "tag: Extra inputs are not permitted"),
        ("send-email", {**EMAIL, "from": None}, r"from: .*HATCHET_SENDGRID_SENDER"),
        (
            "email-from-template",
            {"to": "ada@example.com", "from": "hello@example.com"},
            r"template: .*HATCHET_SENDGRID_TEMPLATE",
        ),
    ],
)
async def test_a_wrong_field_is_refused_before_anything_is_sent(
    verb: str, data: dict[str, Any], text: str, provider: Provider
) -> None:
    with pytest.raises(InvalidInput, match=text):
        await performed(SendGrid(url=provider.url), verb, data)
    assert provider.received == []
