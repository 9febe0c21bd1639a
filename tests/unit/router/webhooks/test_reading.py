"""What the providers' requests hold, as events."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from hatchet_router.refusals import Refusal
from hatchet_router.webhooks.presets import PRESETS
from hatchet_router.webhooks.providers import event_key
from hatchet_router.webhooks.requests import Answer, WebhookEvent, WebhookRequest
from hatchet_router.webhooks.signatures import BadSignature, Claim, check
from hatchet_schemas.patterns import check_pattern, is_pattern

CLAIM = Claim(b"what is signed", ())
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def read(
    preset: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None
) -> WebhookEvent | Answer:
    """Return what a verified request holds."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = WebhookRequest(CIMultiDict(headers or {}), octets)
    return PRESETS[preset](preset).read(preset, request, CLAIM)


INVOICE = {
    "id": "evt_1MqqbKLt4dXK03v5qaIbiNCC",
    "object": "event",
    "created": 1680064028,
    "type": "customer.subscription.updated",
    "data": {"object": {"id": "sub_1", "object": "subscription"}},
}


def test_an_event_of_stripe_keeps_its_id_its_type_and_its_time() -> None:
    assert read("stripe", INVOICE) == WebhookEvent(
        key="stripe:customer.subscription.updated",
        id="evt_1MqqbKLt4dXK03v5qaIbiNCC",
        data=INVOICE,
        time=datetime(2023, 3, 29, 4, 27, 8, tzinfo=UTC),
    )


def test_an_event_of_stripes_second_version_is_read_alike() -> None:
    thin = {
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
        "object": "v2.core.event",
        "type": "v1.billing.meter.error_report_triggered",
        "created": "2024-09-17T06:20:52.246Z",
    }

    event = read("stripe", thin)

    assert isinstance(event, WebhookEvent)
    assert event.key == "stripe:v1.billing.meter.error_report_triggered"
    assert event.time == datetime(2024, 9, 17, 6, 20, 52, 246000, tzinfo=UTC)


MENTION = {
    "token": "XXYYZZ",
    "team_id": "T123ABC456",
    "api_app_id": "A123ABC456",
    "event": {"type": "app_mention", "user": "U123ABC456", "text": "hi", "channel": "C1"},
    "type": "event_callback",
    "event_id": "Ev123ABC456",
    "event_time": 1234567890,
}


def test_an_event_of_slack_keeps_its_id_and_loses_the_token() -> None:
    assert read("slack", MENTION) == WebhookEvent(
        key="slack:app_mention",
        id="Ev123ABC456",
        data={name: value for name, value in MENTION.items() if name != "token"},
        time=datetime(2009, 2, 13, 23, 31, 30, tzinfo=UTC),
    )


def test_slacks_challenge_is_answered() -> None:
    body = {
        "token": "x",
        "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gm",
        "type": "url_verification",
    }

    assert read("slack", body) == Answer({"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gm"})


def test_other_messages_of_slack_get_a_hash_as_id() -> None:
    body = {"token": "x", "type": "app_rate_limited", "minute_rate_limited": 1518467820}

    assert read("slack", body) == WebhookEvent(
        "slack:app_rate_limited",
        CLAIM.fingerprint,
        {"type": "app_rate_limited", "minute_rate_limited": 1518467820},
    )


def test_a_slash_command_is_an_event() -> None:
    form = {"token": "x", "command": "/deploy", "text": "", "user_id": "U1"}

    assert read("slack", urlencode(form).encode(), FORM) == WebhookEvent(
        "slack:command:deploy",
        CLAIM.fingerprint,
        {"command": "/deploy", "text": "", "user_id": "U1"},
    )


def test_an_interaction_is_an_event() -> None:
    payload = {"type": "block_actions", "token": "x", "actions": [{"action_id": "yes"}]}
    headers = {"content-type": "Application/x-www-form-urlencoded; charset=utf-8"}

    assert read("slack", urlencode({"payload": json.dumps(payload)}).encode(), headers) == (
        WebhookEvent(
            "slack:interaction:block_actions",
            CLAIM.fingerprint,
            {"type": "block_actions", "actions": [{"action_id": "yes"}]},
        )
    )


def test_slack_may_look_at_our_certificate() -> None:
    assert read("slack", b"ssl_check=1&token=x", FORM) == Answer({})


def test_an_event_of_github_has_its_action_in_the_key() -> None:
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    }

    assert read("github", {"action": "opened"}, headers) == WebhookEvent(
        "github:issues.opened", "72d3162e-cc78-11e3-81ab-4c9367dc0958", {"action": "opened"}
    )
    assert read("github", {"ref": "refs/heads/main"}, {**headers, "X-GitHub-Event": "push"}) == (
        WebhookEvent(
            "github:push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", {"ref": "refs/heads/main"}
        )
    )


def test_an_event_of_standard_webhooks_has_the_id_that_is_signed() -> None:
    assert read("standard-webhooks", {"type": "user.created"}, {"webhook-id": "msg_1"}) == (
        WebhookEvent("standard-webhooks:user.created", "msg_1", {"type": "user.created"})
    )


@pytest.mark.parametrize(
    ("preset", "body", "headers", "message"),
    [
        pytest.param("stripe", b"{", {}, "not JSON", id="no JSON"),
        pytest.param("stripe", b"\xff", {}, "not UTF-8", id="no text"),
        pytest.param("stripe", b"[1]", {}, "a JSON array", id="a list"),
        pytest.param("stripe", b'{"id": "a", "id": "b", "type": "x"}', {}, "twice", id="two ids"),
        pytest.param("stripe", {"type": "x"}, {}, "None as 'id'", id="no id"),
        pytest.param("stripe", {"id": "evt_1", "type": 1}, {}, "1 as 'type'", id="no type"),
        pytest.param(
            "stripe", {"id": "e", "type": "x", "created": 10**15}, {}, "no time", id="no time"
        ),
        pytest.param(
            "stripe", {"id": "e", "type": "x", "created": True}, {}, "no time", id="true as a time"
        ),
        pytest.param("slack", {"type": "event_callback"}, {}, "'event' is null", id="no event"),
        pytest.param(
            "slack", {"type": "event_callback", "event": {"type": "x"}}, {}, "event_id", id="no Ev"
        ),
        pytest.param("slack", b"a=1", FORM, "'command'", id="a form without a command"),
        pytest.param("slack", b"command=a&command=b", FORM, "twice", id="two commands"),
        pytest.param("slack", b"command=%ff", FORM, "no form", id="a form that is no text"),
        pytest.param("slack", b"a=1&" * 101, FORM, "no form", id="many fields"),
        pytest.param("slack", b"payload=x", FORM, "the payload is not JSON", id="no payload"),
        pytest.param("github", {}, {"X-GitHub-Event": "push"}, "X-GitHub-Delivery", id="no id"),
        pytest.param("github", {}, {"X-GitHub-Delivery": "1"}, "X-GitHub-Event", id="no event"),
        pytest.param("standard-webhooks", {}, {"webhook-id": "1"}, "'type'", id="no kind"),
    ],
)
def test_what_is_signed_and_makes_no_sense_is_refused(
    preset: str, body: Any, headers: dict[str, str], message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        read(preset, body, headers)


HEADERS = ["Stripe-Signature", "X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery"]
HEADERS += ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Content-Type"]
HEADERS += ["X-Slack-Request-Timestamp", "X-Slack-Signature"]
# What HTTP can carry: octets that are no UTF-8 come as surrogates.
VALUES = st.binary(max_size=20).map(lambda octets: octets.decode("utf-8", "surrogateescape"))


@settings(max_examples=50)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.fixed_dictionaries({}, optional={name: VALUES | st.just("1") for name in HEADERS}),
    st.binary() | st.sampled_from([b"{}", b'{"type": "\\ud800"}', b"payload={}", b"command=%2F"]),
)
def test_whatever_comes_is_read_or_refused(
    preset: str, headers: dict[str, str], body: bytes
) -> None:
    """And nothing else is raised."""
    provider = PRESETS[preset](preset)
    request = WebhookRequest(CIMultiDict(headers), body)

    with suppress(BadSignature):
        check(
            provider.claim(request),
            [b"key"],
            digest=provider.digest,
            now=0,
            tolerance_seconds=1,
        )
    with suppress(Refusal):
        provider.read(preset, request, CLAIM)


@pytest.mark.parametrize("kind", ["a b", "a*", "#", "größe", 'x"', "\n", "a.b:c_d-e/f@g"])
def test_every_type_makes_a_key_that_can_be_published(kind: str) -> None:
    key = check_pattern(event_key("shop", kind))

    assert key.startswith("shop:")
    assert not is_pattern(key)


def test_what_a_key_can_hold_stays_as_it_is() -> None:
    assert event_key("shop", "a.b:c_d-e/f@g") == "shop:a.b:c_d-e/f@g"
    assert event_key("shop", "Order Paid!") == "shop:Order_Paid_"
