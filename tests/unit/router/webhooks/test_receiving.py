"""What is answered, and what is published, for each kind of request."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pytest
from multidict import CIMultiDict
from stripe import WebhookSignature
from structlog.testing import capture_logs

from hatchet_router.errors import BrokerError, BrokerUnreachable, EventRefused, EventUnroutable
from hatchet_router.webhooks.presets import PRESETS
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.receiving import Receiver, Reply
from hatchet_router.webhooks.requests import WebhookRequest
from hatchet_router.webhooks.signing_secrets import NoSigningSecret, SigningSecrets, UnusableSecret

NOW = 1700000000
SECRET = "whsec_f00"
STRIPE = PRESETS["stripe"]("stripe")
BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "note": "p4yl0ad"})
Published = tuple[str, str | None, str | None]


class RecordingBus:
    """A bus that remembers, or fails as it is told."""

    def __init__(self, failure: Exception | None = None, *, queue: bool = True) -> None:
        self.published: list[Published] = []
        self._failure = failure
        self._queue = queue

    async def trigger(
        self,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - the event's field of this name
        time: datetime | None = None,
        source: str | None = None,
    ) -> str:
        """Remember an event."""
        if self._failure is not None:
            raise self._failure
        self.published.append((key, id, source))
        return id or ""

    async def has_queue(self, name: str) -> bool:
        """Tell what was told."""
        return self._queue


def signed(body: str = BODY, secret: str = SECRET, time: int = NOW) -> WebhookRequest:
    """Return a request that Stripe might have sent."""
    header = WebhookSignature.generate_signature_header(body, secret, time)
    return WebhookRequest(CIMultiDict({"Stripe-Signature": header}), body.encode())


async def receive(
    bus: RecordingBus,
    request: WebhookRequest,
    provider: Provider = STRIPE,
    secrets: Mapping[str, str] = MappingProxyType({"STRIPE_SIGNING_SECRET": SECRET}),
) -> Reply:
    """Return the answer to a request."""
    receiver = Receiver(
        bus, "q", SigningSecrets(secrets.get), tolerance_seconds=300, clock=lambda: NOW
    )
    return await receiver.receive(provider, request)


async def test_an_event_is_published_under_its_id_and_its_providers_source() -> None:
    """So that another provider's event of the same id is another event."""
    bus = RecordingBus()

    reply = await receive(bus, signed())

    assert (reply.status, reply.text) == (200, "")
    assert bus.published == [("stripe:invoice.paid", "evt_1", "/webhooks/stripe")]


async def test_while_a_secret_is_exchanged_both_count() -> None:
    both = {"STRIPE_SIGNING_SECRET": SECRET, "STRIPE_SIGNING_SECRET_2": "whsec_new"}

    for secret in both.values():
        assert (await receive(RecordingBus(), signed(secret=secret), secrets=both)).status == 200
    assert (await receive(RecordingBus(), signed(secret="whsec_old"), secrets=both)).status == 403


@pytest.mark.parametrize(
    "request_",
    [
        signed(secret="other"),
        signed(time=NOW - 301),
        signed(time=NOW + 301),
        WebhookRequest(signed().headers, BODY.replace("paid", "Paid").encode()),
        WebhookRequest({}, BODY.encode()),
    ],
    ids=["secret", "old", "future", "tampered", "unsigned"],
)
async def test_all_that_is_not_proven_is_refused_alike(request_: WebhookRequest) -> None:
    """The answer does not help to guess; the log says why, and nothing of secret or payload."""
    bus = RecordingBus()

    with capture_logs() as logs:
        reply = await receive(bus, request_)

    assert reply == Reply(403, "forbidden\n", outcome="refused")
    assert bus.published == []
    [record] = logs
    assert (record["event"], record["provider"]) == ("webhook.refused", "stripe")
    assert SECRET not in str(logs)
    assert "p4yl0ad" not in str(logs)


async def test_what_is_proven_and_no_event_is_told_to_the_provider() -> None:
    bus = RecordingBus()

    reply = await receive(bus, signed(body='{"id": "evt_1"}'))

    assert (reply.status, bus.published) == (400, [])
    assert reply.text == "the body has None as 'type', expected a text\n"


async def test_a_challenge_is_answered_and_not_published() -> None:
    bus = RecordingBus()
    slack = PRESETS["slack"]("slack")
    body = b'{"type": "url_verification", "challenge": "abc"}'
    signature = slack.digest.of(b"s", b"v0:%d:%b" % (NOW, body)).decode()
    headers = {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": f"v0={signature}"}
    request = WebhookRequest(CIMultiDict(headers), body)

    reply = await receive(bus, request, slack, {"SLACK_SIGNING_SECRET": "s"})

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.text) == {"challenge": "abc"}
    assert bus.published == []
    forged = WebhookRequest(request.headers, body.replace(b"abc", b"abd"))
    assert (await receive(bus, forged, slack, {"SLACK_SIGNING_SECRET": "s"})).status == 403


async def test_an_event_that_no_workflow_wants_is_not_sent_again() -> None:
    with capture_logs() as logs:
        reply = await receive(RecordingBus(EventUnroutable("k", "evt_1")), signed())

    assert reply.status == 200
    assert logs == [
        {
            "event": "webhook.unmatched",
            "log_level": "info",
            "provider": "stripe",
            "key": "stripe:invoice.paid",
            "event_id": "evt_1",
        }
    ]


@pytest.mark.parametrize(
    "bus",
    [
        RecordingBus(BrokerUnreachable("amqp://u:p@there/", "no answer")),
        RecordingBus(BrokerError("exchange 'x' does not exist")),
        RecordingBus(EventRefused("k", "evt_1", "basic.nack")),
        RecordingBus(TimeoutError()),
        RecordingBus(EventUnroutable("k", "evt_1"), queue=False),
    ],
    ids=["away", "exchange", "full", "slow", "queue"],
)
async def test_an_event_that_is_not_stored_is_sent_again(bus: RecordingBus) -> None:
    with capture_logs() as logs:
        reply = await receive(bus, signed())

    assert reply.status == 503
    assert reply.headers == {"Retry-After": "10"}
    assert [record["event"] for record in logs] == ["webhook.unavailable"]


async def test_a_provider_is_answered_before_it_loses_patience() -> None:
    class Hanging(RecordingBus):
        async def trigger(self, *_: Any, **__: Any) -> str:
            return await asyncio.Future()

    provider = Provider("stripe", STRIPE.claim, STRIPE.read, patience_seconds=0.51)

    assert (await receive(Hanging(), signed(), provider)).status == 503


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(NoSigningSecret, match="STRIPE_SIGNING_SECRET"):
        SigningSecrets(lambda _: None).keys(STRIPE)


def test_a_secret_that_is_no_key_is_named_and_not_shown() -> None:
    provider = PRESETS["standard-webhooks"]("svix")

    for secret in ("not base64!", "whsec_", "ü"):
        with pytest.raises(UnusableSecret, match="SVIX_SIGNING_SECRET is no key of svix") as caught:
            SigningSecrets({"SVIX_SIGNING_SECRET": secret}.get).keys(provider)
        assert secret not in str(caught.value)


@pytest.mark.parametrize("secret", [" ", "\n", "\t \r\n"])
@pytest.mark.parametrize("name", STRIPE.secret_names)
async def test_a_blank_secret_is_no_key_that_anybody_could_guess(name: str, secret: str) -> None:
    """As a placeholder leaves it, or a file that is just being written."""
    secrets = {"STRIPE_SIGNING_SECRET": SECRET, name: secret}
    bus = RecordingBus()

    with pytest.raises(UnusableSecret, match=f"{name} is no key of stripe: it is blank"):
        await receive(bus, signed(secret=secret), secrets=secrets)

    assert bus.published == []
