"""Signatures as the providers publish them, and as their own libraries verify them."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from slack_sdk.signature import Clock, SignatureVerifier
from standardwebhooks.webhooks import Webhook as StandardWebhook
from stripe import SignatureVerificationError, WebhookSignature

from hatchet_router.webhooks.presets import PRESETS
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.requests import WebhookRequest
from hatchet_router.webhooks.signatures import BadSignature, check

# https://docs.slack.dev/authentication/verifying-requests-from-slack, "Validating a request"
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_TIME = 1531420618
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_HEADERS = {
    "X-Slack-Request-Timestamp": str(SLACK_TIME),
    "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_HEADERS = {
    "X-Hub-Signature-256": (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )
}

# https://docs.svix.com/receiving/verifying-payloads/how-manual, the same in Standard Webhooks
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_TIME = 1614265330
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(STANDARD_TIME),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}

PUBLISHED = [
    pytest.param("slack", SLACK_SECRET, SLACK_TIME, SLACK_HEADERS, SLACK_BODY, id="slack"),
    pytest.param("github", GITHUB_SECRET, 0, GITHUB_HEADERS, GITHUB_BODY, id="github"),
    pytest.param(
        "standard-webhooks",
        STANDARD_SECRET,
        STANDARD_TIME,
        STANDARD_HEADERS,
        STANDARD_BODY,
        id="standard-webhooks",
    ),
]


def refusal(
    provider: Provider,
    secrets: Sequence[str],
    headers: dict[str, str],
    body: bytes,
    now: float,
) -> str | None:
    """Return the reason why a request is refused, None if it is not."""
    try:
        check(
            provider.claim(WebhookRequest(CIMultiDict(headers), body)),
            [provider.key(secret) for secret in secrets],
            digest=provider.digest,
            now=now,
            tolerance_seconds=300,
        )
    except BadSignature as error:
        return error.reason
    return None


@pytest.mark.parametrize(("preset", "secret", "time", "headers", "body"), PUBLISHED)
def test_what_providers_publish_as_an_example_is_right(
    preset: str, secret: str, time: int, headers: dict[str, str], body: bytes
) -> None:
    provider = PRESETS[preset](preset)

    assert refusal(provider, [secret], headers, body, time + 300) is None


@pytest.mark.parametrize(("preset", "secret", "time", "headers", "body"), PUBLISHED)
def test_one_bit_makes_it_wrong(
    preset: str, secret: str, time: int, headers: dict[str, str], body: bytes
) -> None:
    provider = PRESETS[preset](preset)
    tampered = body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]
    other = base64.b64encode(b"another").decode()

    assert refusal(provider, [secret], headers, tampered, time) == "wrong-signature"
    assert refusal(provider, [other], headers, body, time) == "wrong-signature"
    assert refusal(provider, [other, secret], headers, body, time) is None


@pytest.mark.parametrize(("preset", "secret", "time", "headers", "body"), PUBLISHED[::2])
@pytest.mark.parametrize("seconds", [301, -301])
def test_a_time_that_is_far_from_ours_is_refused(
    preset: str, secret: str, time: int, headers: dict[str, str], body: bytes, seconds: int
) -> None:
    """An old one is a replay; one from the future could be replayed for long."""
    provider = PRESETS[preset](preset)

    assert refusal(provider, [secret], headers, body, time + seconds) == "wrong-time"
    newer = {name: value.replace(str(time), str(time + 1)) for name, value in headers.items()}
    assert refusal(provider, [secret], newer, body, time) == "wrong-signature"


@pytest.mark.parametrize(("preset", "secret", "time", "headers", "body"), PUBLISHED)
def test_a_request_that_lacks_a_header_is_refused(
    preset: str, secret: str, time: int, headers: dict[str, str], body: bytes
) -> None:
    provider = PRESETS[preset](preset)

    for missing in headers:
        some = {name: value for name, value in headers.items() if name != missing}
        assert refusal(provider, [secret], some, body, time) is not None


def test_header_names_are_found_in_any_case() -> None:
    lower = {name.lower(): value for name, value in SLACK_HEADERS.items()}

    assert refusal(PRESETS["slack"]("s"), [SLACK_SECRET], lower, SLACK_BODY, SLACK_TIME) is None


def of_stripe(secret: str, body: str, time: int, header: str | None = None) -> str | None:
    """Return what we say of a request of Stripe."""
    header = header or WebhookSignature.generate_signature_header(body, secret, time)
    headers = {"Stripe-Signature": header}
    return refusal(PRESETS["stripe"]("stripe"), [secret], headers, body.encode(), time)


@settings(max_examples=25)
@given(
    st.text(min_size=1).filter(lambda text: bool(text.strip())),
    st.text(),
    st.integers(0, 10**10),
)
def test_what_stripes_library_signs_is_right(secret: str, body: str, time: int) -> None:
    assert of_stripe(secret, body, time) is None


STRIPE_BODY = '{"id": "evt_1"}'
STRIPE_SIGNATURE = WebhookSignature._compute_signature(f"1700000000.{STRIPE_BODY}", "whsec_a")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        pytest.param("t=1700000000,v1=ab,v1={right}", None, id="a secret is rolled"),
        pytest.param("t=1700000000,v0=ab,v1={right},v2=x", None, id="other schemes"),
        pytest.param("v1={right},t=1700000000", None, id="another order"),
        pytest.param("t=1700000001,v1={right}", "wrong-signature", id="another time"),
        pytest.param("t=1700000000,v0={right}", "no-signature", id="a scheme for tests"),
        pytest.param("t=1700000000,v1=", "wrong-signature", id="empty"),
        pytest.param("t=1700000000", "no-signature", id="no signature"),
        pytest.param("v1={right}", "no-timestamp", id="no time"),
        pytest.param("t=,v1={right}", "no-timestamp", id="an empty time"),
        pytest.param("t=-1,v1={right}", "no-timestamp", id="a negative time"),
        pytest.param("t=1e9,v1={right}", "no-timestamp", id="no digits"),
        pytest.param("x", "no-timestamp", id="something else"),
    ],
)
def test_stripes_header_is_read_as_stripes_library_does(header: str, reason: str | None) -> None:
    header = header.format(right=STRIPE_SIGNATURE)

    assert of_stripe("whsec_a", STRIPE_BODY, 1700000000, header) == reason
    try:
        WebhookSignature.verify_header(STRIPE_BODY, header, "whsec_a")
        theirs = True
    except SignatureVerificationError:
        theirs = False
    assert theirs == (reason is None)


def test_a_second_time_in_stripes_header_is_refused() -> None:
    """Which of them is signed would be a guess."""
    for times in ("t=1700000000,t=1700000000", "t=17000,t=00000", "t=1700000000,t="):
        header = f"{times},v1={STRIPE_SIGNATURE}"
        assert of_stripe("whsec_a", STRIPE_BODY, 1700000000, header) == "no-timestamp"


class _At(Clock):
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


@settings(max_examples=25)
@given(
    st.text(min_size=1).filter(lambda text: bool(text.strip())), st.text(), st.integers(-999, 999)
)
def test_slacks_library_agrees(secret: str, body: str, late: int) -> None:
    verifier = SignatureVerifier(secret, _At(SLACK_TIME + late))
    signature = verifier.generate_signature(timestamp=str(SLACK_TIME), body=body)
    headers = {**SLACK_HEADERS, "X-Slack-Signature": signature or ""}

    ours = refusal(PRESETS["slack"]("s"), [secret], headers, body.encode(), SLACK_TIME + late)

    assert (ours is None) == verifier.is_valid_request(body, headers)


@settings(max_examples=25)
@given(st.binary(min_size=1), st.text(), st.lists(st.binary(min_size=1, max_size=9), max_size=3))
def test_standard_webhooks_library_agrees(key: bytes, body: str, others: list[bytes]) -> None:
    """Also while a secret is exchanged, when each of several keys has signed."""
    id_, time = STANDARD_HEADERS["webhook-id"], STANDARD_TIME

    def signed(by: bytes) -> str:
        digest = hmac.digest(by, f"{id_}.{time}.{body}".encode(), hashlib.sha256)
        return f"v1,{base64.b64encode(digest).decode()}"

    signatures = " ".join([*map(signed, others), "v1a,x", signed(key)])
    headers = {**STANDARD_HEADERS, "webhook-signature": signatures}
    secret = f"whsec_{base64.b64encode(key).decode()}"

    assert (
        refusal(PRESETS["standard-webhooks"]("s"), [secret], headers, body.encode(), time) is None
    )
    theirs = StandardWebhook(secret).sign(id_, datetime.fromtimestamp(time, UTC), body)
    assert theirs == signed(key)


def test_a_fingerprint_is_of_all_that_is_signed() -> None:
    """A replay has the same one; the same body at another time is another event."""
    claim = PRESETS["slack"]("s").claim
    at = [
        claim(WebhookRequest(CIMultiDict({**SLACK_HEADERS, "X-Slack-Request-Timestamp": t}), b"x"))
        for t in ("1", "1", "2")
    ]

    assert at[0].fingerprint == at[1].fingerprint != at[2].fingerprint
