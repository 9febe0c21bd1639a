"""Providers that a file describes, and what it says of those that it cannot describe."""

import base64
import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from hatchet_router.webhooks.declared import SignedJson
from hatchet_router.webhooks.provider_file import InvalidProviders, load_providers
from hatchet_router.webhooks.requests import WebhookEvent, WebhookRequest
from hatchet_router.webhooks.signatures import BadSignature, check

SHOP = """
shop:
  signature-header: X-Shop-Signature
  algorithm: sha512
  encoding: base64
  signed: "{id}/{timestamp}/{body}"
  timestamp-header: X-Shop-Time
  id-header: X-Shop-Delivery
  type-field: event.type
stripe-eu: {preset: stripe}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "webhooks.yaml"


def test_a_file_describes_providers(file: Path) -> None:
    file.write_text(SHOP)
    body = b'{"event": {"type": "order.paid"}}'
    digest = hmac.digest(b"secret", b"d-1/1700000000/" + body, hashlib.sha512)
    headers = {
        "x-shop-signature": base64.b64encode(digest).decode(),
        "x-shop-time": "1700000000",
        "x-shop-delivery": "d-1",
    }

    providers = load_providers(file)

    assert providers["stripe-eu"].secret_names[0] == "STRIPE_EU_SIGNING_SECRET"
    assert providers["stripe-eu"].source == "/webhooks/stripe-eu"
    shop = providers["shop"]
    request = WebhookRequest(CIMultiDict(headers), body)
    claim = shop.claim(request)
    check(claim, [b"secret"], digest=shop.digest, now=1700000000, tolerance_seconds=1)
    assert shop.read("shop", request, claim) == WebhookEvent(
        "shop:order.paid", "d-1", {"event": {"type": "order.paid"}}
    )
    other_id = WebhookRequest(CIMultiDict({**headers, "x-shop-delivery": "d-2"}), body)
    with pytest.raises(BadSignature):
        check(
            shop.claim(other_id),
            [b"secret"],
            digest=shop.digest,
            now=1700000000,
            tolerance_seconds=1,
        )


def test_the_document_s_example_is_read(file: Path) -> None:
    document = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text()
    [example] = re.findall(r"^```yml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    file.write_text(example)

    assert sorted(load_providers(file)) == ["clerk", "shop", "stripe-eu"]


def described(**fields: Any) -> SignedJson:
    """Return a description, with the field that it cannot be without."""
    return SignedJson(signature_header="S", **fields)


def event_of(spec: SignedJson, body: bytes, **headers: str) -> WebhookEvent:
    """Return what a request holds."""
    provider = spec.provider("shop")
    request = WebhookRequest(CIMultiDict(headers), body)
    read = provider.read("shop", request, provider.claim(request))
    assert isinstance(read, WebhookEvent)
    return read


def test_an_id_can_be_a_field_and_a_number() -> None:
    assert event_of(described(id_field="order.id"), b'{"order": {"id": 7}}').id == "7"


def test_without_an_id_a_hash_of_what_is_signed_is_the_id() -> None:
    """The same body is the same event, so that a replay starts nothing."""
    first, again, other = (event_of(described(), body) for body in (b"{}", b"{}", b"{ }"))

    assert first.id == again.id != other.id
    assert first.key == "shop"


def test_capital_hex_digits_are_read(file: Path) -> None:
    digest = hmac.digest(b"secret", b"{}", "sha1").hex().upper()
    provider = described(algorithm="sha1", signature_prefix="sha1=").provider("shop")
    claim = provider.claim(WebhookRequest(CIMultiDict({"S": f"sha1={digest}"}), b"{}"))

    check(claim, [b"secret"], digest=provider.digest, now=0, tolerance_seconds=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a map from names to providers"),
        ("- a", "expected a map from names to providers"),
        ("a: [", ":1:"),
        ("Shop: {preset: stripe}", ":1:1: Shop: string should match pattern"),
        (
            "shop: {preset: paypal}",
            ":1:8: shop.preset: there is no preset 'paypal': expected",
        ),
        ("shop: {preset: stripe, algorithm: sha1}", ":1:24: shop.algorithm: there is no such"),
        ("shop: {}", ":1:1: shop.signature-header: this field is needed"),
        ("shop: {signature-header: A, header: B}", ":1:29: shop.header: there is no such field"),
        ("shop: {signature_header: A}", "shop.signature_header: there is no such field"),
        ("shop: {signature-header: A B}", "shop.signature-header: string should match"),
        ("shop: {signature-header: A, algorithm: md5}", "shop.algorithm: input should be"),
        ("shop: {signature-header: A, signed: '{timestamp}'}", "signed holds {body}"),
        ("shop: {signature-header: A, signed: '{body}{url}'}", "signed holds {body}"),
        ("shop: {signature-header: A, signed: '{body}}'}", "signed holds {body}"),
        ("shop: {signature-header: A, timestamp-header: T}", "a time that is not signed proves"),
        ("shop: {signature-header: A, signed: '{timestamp}{body}'}", "go together"),
        ("shop: {signature-header: A, signed: '{id}{body}'}", "needs an id-header"),
        ("shop: {signature-header: A, id-header: I, id-field: i}", "not both"),
        ("shop: {signature-header: A, id-field: .i}", "shop.id-field: string should match"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(file: Path, text: str, message: str) -> None:
    file.write_text(text)

    with pytest.raises(InvalidProviders) as caught:
        load_providers(file)

    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text("a: {}\nb: {preset: stripe}\nc: {preset: x}\n")

    with pytest.raises(InvalidProviders) as caught:
        load_providers(file)

    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "3"]


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(InvalidProviders, match="No such file"):
        load_providers(file)
