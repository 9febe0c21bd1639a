"""Postmark, as its developer documentation tells it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.worker.integrations.conftest import (
    HANG,
    HANG_UP,
    TOKEN,
    Provider,
    Reply,
    out_of_time,
    performed,
    told,
)

from hatchet_schemas.templates import render
from hatchet_worker import InvalidInput, Retry
from hatchet_worker.integrations.postmark import Postmark
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
)

EMAIL = {"to": "ada@example.com", "from": "hello@example.com", "subject": "Hi", "text": "Hello."}
TAKEN = {
    "To": "ada@example.com",
    "SubmittedAt": "2026-02-17T07:25:01.4178645-05:00",
    "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d",
    "ErrorCode": 0,
    "Message": "OK",
}


async def test_an_email_with_all_its_fields(provider: Provider) -> None:
    provider.answers("POST /email", Reply(TAKEN))

    outputs = await performed(
        Postmark(url=provider.url),
        "send-email",
        {
            "to": ["ada@example.com", "Grace Hopper <grace@example.com>"],
            "cc": "cc@example.com",
            "bcc": ["bcc@example.com"],
            "from": "Hatchet <hello@example.com>",
            "reply_to": "help@example.com",
            "subject": "Hi",
            "text": "Hello.",
            "html": "<p>Hello.</p>",
            "tag": "greeting",
            "metadata": {"order": "42"},
            "stream": "news",
        },
    )

    assert outputs == {
        "message_id": "0a129aee-e1cd-480d-b08d-4f48548ff48d",
        "submitted_at": "2026-02-17T07:25:01.4178645-05:00",
        "message": "OK",
    }
    (request,) = provider.received
    assert request.headers["X-Postmark-Server-Token"] == TOKEN
    assert request.headers["Accept"] == "application/json"
    assert request.json == {
        "From": "Hatchet <hello@example.com>",
        "To": "ada@example.com, Grace Hopper <grace@example.com>",
        "Cc": "cc@example.com",
        "Bcc": "bcc@example.com",
        "ReplyTo": "help@example.com",
        "Subject": "Hi",
        "TextBody": "Hello.",
        "HtmlBody": "<p>Hello.</p>",
        "Tag": "greeting",
        "Metadata": {"order": "42"},
        "MessageStream": "news",
    }


async def test_a_template_with_the_integrations_sender(provider: Provider) -> None:
    """The first example that anybody sees of Hatchet names neither sender nor template."""
    provider.answers("POST /email/withTemplate", Reply(TAKEN))
    postmark = Postmark(sender="hello@example.com", template="welcome", url=provider.url)
    with_ = {"firstName": "{{ .user.firstName }}", "email": "{{ .user.email }}"}
    event = {"user": {"firstName": "Ada", "email": "ada@example.com"}}

    await performed(postmark, "email-from-template", render(with_, event))

    assert provider.received[0].json == {
        "From": "hello@example.com",
        "To": "ada@example.com",
        "TemplateAlias": "welcome",
        "TemplateModel": {"firstName": "Ada", "email": "ada@example.com"},
    }


async def test_a_template_by_its_id_with_a_model(provider: Provider) -> None:
    provider.answers("POST /email/withTemplate", Reply(TAKEN))

    await performed(
        Postmark(url=provider.url),
        "email-from-template",
        {
            "to": "ada@example.com",
            "from": "hello@example.com",
            "template": 1234567,
            "model": {"items": [{"name": "axe"}]},
        },
    )

    body = provider.received[0].json
    assert (body["TemplateId"], body["TemplateModel"]) == (1234567, {"items": [{"name": "axe"}]})


async def test_options_come_from_the_environment(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answers("POST /email/withTemplate", Reply(TAKEN))
    monkeypatch.setenv("HATCHET_POSTMARK_SENDER", "hello@example.com")
    monkeypatch.setenv("HATCHET_POSTMARK_TEMPLATE", "1234567")
    monkeypatch.setenv("HATCHET_POSTMARK_STREAM", "news")
    monkeypatch.setenv("HATCHET_POSTMARK_URL", provider.url)

    await performed(Postmark(), "email-from-template", {"to": "ada@example.com"})

    assert provider.received[0].json == {
        "From": "hello@example.com",
        "To": "ada@example.com",
        "TemplateId": 1234567,
        "TemplateModel": {},
        "MessageStream": "news",
    }


async def test_two_servers_are_two_integrations(provider: Provider) -> None:
    provider.answers("POST /email", Reply({"ErrorCode": 10, "Message": "Bad token."}, 401))
    postmark = Postmark(id="postmark-eu", secret="POSTMARK_EU", url=provider.url)

    with pytest.raises(Refused, match=r"postmark-eu: 401 10: Bad token.*secret POSTMARK_EU"):
        await performed(postmark, "send-email", EMAIL)
    assert postmark.secrets == ("POSTMARK_EU",)


@pytest.mark.parametrize(
    ("reply", "raised", "text"),
    [
        (
            Reply({"ErrorCode": 300, "Message": "Invalid 'To' address."}, 422),
            Refused,
            "postmark: 422 300: Invalid 'To' address.",
        ),
        (
            Reply({"ErrorCode": 406, "Message": "You tried to send to an inactive one."}, 422),
            Refused,
            "postmark: 422 406: You tried to send to an inactive one.",
        ),
        (
            Reply({"ErrorCode": 429, "Message": "Rate limit exceeded"}, 429, {"Retry-After": "7"}),
            Throttled,
            "postmark: 429 429: Rate limit exceeded",
        ),
        (
            Reply({"ErrorCode": 100, "Message": "Maintenance"}, 503),
            Throttled,
            "postmark: 503 100: Maintenance",
        ),
        (Reply("gateway", 502), ProviderFailed, "postmark: 502: no reason given"),
        (Reply("", 500), ProviderFailed, "postmark: 500: no reason given"),
        (HANG_UP, ProviderFailed, "postmark: ServerDisconnectedError"),
    ],
)
async def test_what_goes_wrong_is_sorted(
    reply: Reply, raised: type[ProviderError], text: str, provider: Provider
) -> None:
    provider.answers("POST /email", reply)

    with pytest.raises(raised) as caught:
        await performed(Postmark(url=provider.url), "send-email", EMAIL)
    assert text in str(caught.value)
    assert TOKEN not in told(caught.value)


async def test_it_says_when_to_come_back(provider: Provider) -> None:
    provider.answers("POST /email", Reply({}, 429, {"Retry-After": "7"}))

    with pytest.raises(Retry) as caught:
        await performed(Postmark(url=provider.url), "send-email", EMAIL)
    assert caught.value.after is not None
    assert caught.value.after.total_seconds() == 7


async def test_without_an_answer_nobody_knows_whether_it_was_sent(provider: Provider) -> None:
    provider.answers("POST /email", HANG)
    postmark = Postmark(url=provider.url)

    with pytest.raises(ProviderFailed, match="no answer within") as caught:
        await performed(postmark, "send-email", EMAIL, context=out_of_time(postmark))
    assert not isinstance(caught.value, Retry)


async def test_without_a_connection_nothing_was_sent() -> None:
    with pytest.raises(Unreachable):
        await performed(Postmark(url="http://127.0.0.1:1"), "send-email", EMAIL)


@pytest.mark.parametrize(
    ("verb", "data", "text"),
    [
        ("send-email", EMAIL | {"subjekt": "Hi"}, "subjekt: Extra inputs are not permitted"),
        ("send-email", EMAIL | {"sender": "a@example.com"}, "sender: Extra inputs"),
        ("send-email", EMAIL | {"to": "ada"}, "expected an e-mail address"),
        ("send-email", EMAIL | {"to": "a@example.com, b@example.com"}, "as a list"),
        ("send-email", EMAIL | {"to": []}, "at least 1 item"),
        ("send-email", EMAIL | {"subject": "Hi\nBcc: all@example.com"}, "subject: .*one line"),
        ("send-email", EMAIL | {"from": "A\r\nB <a@example.com>"}, "from: .*one"),
        ("send-email", EMAIL | {"text": ""}, "expected text or html"),
        ("send-email", {**EMAIL, "from": None}, r"from: Field required.*HATCHET_POSTMARK_SENDER"),
        ("email-from-template", {"template": "welcome"}, "expected to, or email"),
        (
            "email-from-template",
            {"to": "ada@example.com", "from": "hello@example.com"},
            r"template: Field required.*HATCHET_POSTMARK_TEMPLATE",
        ),
        (
            "email-from-template",
            {"to": "ada@example.com", "model": {}, "firstName": "Ada"},
            "firstName: with model",
        ),
    ],
)
async def test_a_wrong_field_is_refused_before_anything_is_sent(
    verb: str, data: dict[str, Any], text: str, provider: Provider
) -> None:
    with pytest.raises(InvalidInput, match=text):
        await performed(Postmark(url=provider.url), verb, data)
    assert provider.received == []
