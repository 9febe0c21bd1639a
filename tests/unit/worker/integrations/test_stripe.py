"""Stripe's API, as its reference tells it, called by Stripe's own SDK."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import stripe as sdk
from structlog.testing import capture_logs
from tests.unit.worker.integrations.conftest import (
    HANG,
    HANG_UP,
    KEY,
    TOKEN,
    Provider,
    Reply,
    out_of_time,
    performed,
    told,
)

from hatchet_worker import Context, InvalidInput, Retry
from hatchet_worker.integrations.stripe import Stripe
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
)

CUSTOMER = {"id": "cus_1", "object": "customer", "email": "ada@example.com", "name": "Ada"}
INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "status": "draft",
    "number": None,
    "total": 3000,
    "currency": "eur",
    "hosted_invoice_url": None,
    "invoice_pdf": None,
}
ITEM = Reply({"id": "ii_1", "object": "invoiceitem"})
REFUND = {
    "id": "re_1",
    "object": "refund",
    "status": "succeeded",
    "amount": 500,
    "currency": "eur",
}
NEW_INVOICE = {"customer": "cus_1", "currency": "eur", "items": [{"amount": 1000}]}


def failed(status: int, code: str | None, message: str, /, **more: Any) -> Reply:
    """Return Stripe's answer that is an error."""
    headers = more.pop("headers", {})
    details = {"type": "invalid_request_error", "message": message, **more}
    return Reply({"error": details | ({"code": code} if code else {})}, status, headers)


async def test_a_customer_is_created(provider: Provider) -> None:
    provider.answers("POST /v1/customers", Reply(CUSTOMER))

    outputs = await performed(
        Stripe(url=provider.url),
        "create-customer",
        {"email": "ada@example.com", "name": "Ada", "metadata": {"user": "42"}},
    )

    assert outputs == {"customer_id": "cus_1", "email": "ada@example.com", "name": "Ada"}
    (request,) = provider.received
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Idempotency-Key"] == KEY
    assert "Stripe-Version" in request.headers
    assert "Stripe-Account" not in request.headers
    assert request.form == {"email": "ada@example.com", "name": "Ada", "metadata[user]": "42"}


async def test_an_invoice_is_a_draft_until_all_its_lines_are_there(provider: Provider) -> None:
    provider.answers("POST /v1/invoices", Reply(INVOICE))
    provider.answers("POST /v1/invoiceitems", ITEM, ITEM)
    opened = {"status": "open", "number": "A-1", "invoice_pdf": "https://stripe.example/pdf"}
    provider.answers("POST /v1/invoices/in_1/finalize", Reply(INVOICE | opened))

    outputs = await performed(
        Stripe(url=provider.url),
        "create-invoice",
        {
            "customer": "cus_1",
            "currency": "EUR",
            "description": "March",
            "items": [{"amount": 1000, "description": "Axe"}, {"price": "price_1", "quantity": 2}],
        },
    )

    assert outputs == {
        "invoice_id": "in_1",
        "status": "open",
        "number": "A-1",
        "total": 3000,
        "currency": "eur",
        "hosted_invoice_url": None,
        "invoice_pdf": "https://stripe.example/pdf",
    }
    invoice, amount, price, finalize = provider.received
    assert invoice.form == {
        "customer": "cus_1",
        "currency": "eur",
        "collection_method": "charge_automatically",
        "description": "March",
        "auto_advance": "false",
        "pending_invoice_items_behavior": "exclude",
    }
    assert amount.form == {
        "customer": "cus_1",
        "invoice": "in_1",
        "description": "Axe",
        "amount": "1000",
        "currency": "eur",
    }
    assert price.form == {
        "customer": "cus_1",
        "invoice": "in_1",
        "pricing[price]": "price_1",
        "quantity": "2",
    }
    assert finalize.form == {"auto_advance": "true"}
    assert [each.headers["Idempotency-Key"] for each in provider.received] == [
        f"{KEY}-invoice",
        f"{KEY}-item-0",
        f"{KEY}-item-1",
        f"{KEY}-finalize",
    ]


async def test_an_invoice_is_sent(provider: Provider) -> None:
    provider.answers("POST /v1/invoices", Reply(INVOICE))
    provider.answers("POST /v1/invoiceitems", ITEM)
    provider.answers("POST /v1/invoices/in_1/send", Reply(INVOICE | {"status": "open"}))
    sent = {"collection_method": "send_invoice", "days_until_due": 14, "finish": "send"}

    outputs = await performed(Stripe(url=provider.url), "create-invoice", NEW_INVOICE | sent)

    assert outputs["status"] == "open"
    assert provider.received[0].form["days_until_due"] == "14"
    assert provider.received[2].headers["Idempotency-Key"] == f"{KEY}-send"


async def test_an_invoice_stays_a_draft(provider: Provider) -> None:
    provider.answers("POST /v1/invoices", Reply(INVOICE))
    provider.answers("POST /v1/invoiceitems", ITEM)
    provider.answers("GET /v1/invoices/in_1", Reply(INVOICE))

    outputs = await performed(
        Stripe(url=provider.url), "create-invoice", NEW_INVOICE | {"finish": "draft"}
    )

    assert outputs["status"] == "draft"


async def test_the_log_tells_of_a_draft_that_is_left(provider: Provider) -> None:
    provider.answers("POST /v1/invoices", Reply(INVOICE))
    provider.answers(
        "POST /v1/invoiceitems", failed(400, "resource_missing", "No such price: 'price_1'")
    )

    with capture_logs() as logs, pytest.raises(Refused, match="No such price"):
        await performed(
            Stripe(url=provider.url),
            "create-invoice",
            NEW_INVOICE | {"items": [{"price": "price_1"}]},
        )
    assert [(each["event"], each["invoice"]) for each in logs] == [("stripe.draft_left", "in_1")]


async def test_a_payment_link_is_created(provider: Provider) -> None:
    link = {"id": "plink_1", "object": "payment_link", "url": "https://buy.example/1"}
    provider.answers("POST /v1/payment_links", Reply(link))

    outputs = await performed(
        Stripe(url=provider.url),
        "create-payment-link",
        {
            "currency": "eur",
            "items": [{"price": "price_1", "quantity": 2}, {"name": "Axe", "amount": 1000}],
            "redirect_url": "https://example.com/thanks",
            "metadata": {"order": "42"},
        },
    )

    assert outputs == {"payment_link_id": "plink_1", "url": "https://buy.example/1"}
    assert provider.received[0].headers["Idempotency-Key"] == KEY
    assert provider.received[0].form == {
        "line_items[0][price]": "price_1",
        "line_items[0][quantity]": "2",
        "line_items[1][price_data][currency]": "eur",
        "line_items[1][price_data][unit_amount]": "1000",
        "line_items[1][price_data][product_data][name]": "Axe",
        "line_items[1][quantity]": "1",
        "metadata[order]": "42",
        "after_completion[type]": "redirect",
        "after_completion[redirect][url]": "https://example.com/thanks",
    }


async def test_a_part_of_a_payment_is_refunded_for_a_connected_account(provider: Provider) -> None:
    provider.answers("POST /v1/refunds", Reply(REFUND))

    outputs = await performed(
        Stripe(url=provider.url, account="acct_1"),
        "refund",
        {"payment_intent": "pi_1", "amount": 500, "reason": "requested_by_customer"},
    )

    assert outputs == {
        "refund_id": "re_1",
        "status": "succeeded",
        "amount": 500,
        "currency": "eur",
        "failure_reason": None,
    }
    (request,) = provider.received
    assert request.headers["Idempotency-Key"] == KEY
    assert request.headers["Stripe-Account"] == "acct_1"
    assert request.form == {
        "payment_intent": "pi_1",
        "amount": "500",
        "reason": "requested_by_customer",
    }


@pytest.mark.parametrize(
    ("reply", "raised", "text"),
    [
        (
            failed(
                402,
                "card_declined",
                "Declined.",
                type="card_error",
                decline_code="insufficient_funds",
                headers={"Request-Id": "req_1"},
            ),
            Refused,
            "card_declined: Declined. (decline code insufficient_funds, request req_1)",
        ),
        (
            failed(404, "resource_missing", "No such charge: 'ch_1'", param="charge"),
            Refused,
            "stripe: 404 resource_missing: No such charge: 'ch_1' (parameter charge)",
        ),
        (
            failed(401, None, "Invalid API Key provided: tok_****9793"),
            Refused,
            "Invalid API Key provided: tok_****9793 (is the secret STRIPE_API_KEY the right one?)",
        ),
        (
            failed(400, None, "Keys can only be used for the same", type="idempotency_error"),
            Refused,
            "stripe: 400 idempotency_error: Keys can only",
        ),
        (
            failed(429, "rate_limit", "Too many requests", headers={"Retry-After": "7"}),
            Throttled,
            "stripe: 429 rate_limit: Too many requests",
        ),
        (failed(429, "lock_timeout", "Cannot access"), Throttled, "stripe: 429 lock_timeout"),
        (failed(400, "rate_limit", "Too many requests"), Throttled, "stripe: 400 rate_limit"),
        (
            failed(409, "idempotency_key_in_use", "Another request"),
            ProviderFailed,
            "stripe: 409 idempotency_key_in_use",
        ),
        (
            failed(400, "odd", "Try again", headers={"Stripe-Should-Retry": "true"}),
            ProviderFailed,
            "stripe: 400 odd",
        ),
        (failed(500, None, "Sorry", type="api_error"), ProviderFailed, "stripe: 500 api_error"),
        (
            failed(500, None, "Sorry", headers={"Stripe-Should-Retry": "false"}),
            Refused,
            "Sorry; Stripe asks not to retry",
        ),
        (Reply("<html>", 502), ProviderFailed, "stripe: 502: no reason given"),
        (Reply("<html>", 200), ProviderFailed, "stripe: 200: no reason given"),
        (HANG_UP, ProviderFailed, "stripe: ServerDisconnectedError"),
    ],
)
async def test_what_goes_wrong_is_sorted(
    reply: Reply, raised: type[ProviderError], text: str, provider: Provider
) -> None:
    provider.answers("POST /v1/refunds", reply)

    with pytest.raises(raised) as caught:
        await performed(Stripe(url=provider.url), "refund", {"charge": "ch_1"})
    assert text in str(caught.value)
    assert TOKEN not in told(caught.value)
    if "Retry-After" in reply.headers:
        assert isinstance(caught.value, Retry)
        assert caught.value.after is not None
        assert caught.value.after.total_seconds() == 7


async def test_an_answer_that_does_not_come(provider: Provider) -> None:
    provider.answers("POST /v1/refunds", HANG)
    integration = Stripe(url=provider.url)

    with pytest.raises(ProviderFailed, match="no answer within"):
        await performed(integration, "refund", {"charge": "ch_1"}, context=out_of_time(integration))


async def test_a_connection_that_cannot_be_made() -> None:
    with pytest.raises(Unreachable, match="no connection"):
        await performed(Stripe(url="http://127.0.0.1:1"), "refund", {"charge": "ch_1"})


async def test_two_accounts_are_two_integrations(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATCHET_STRIPE_URL", provider.url)
    monkeypatch.setenv("HATCHET_STRIPE_ACCOUNT", "acct_2")
    provider.answers("POST /v1/refunds", failed(403, None, "No access"))
    second = Stripe(id="stripe-us", secret="STRIPE_US")
    context = replace(Context(), secrets={"STRIPE_US": TOKEN})

    with pytest.raises(Refused, match=r"stripe-us: 403 .*secret STRIPE_US"):
        await performed(second, "refund", {"charge": "ch_1"}, context=context)
    assert provider.received[0].headers["Stripe-Account"] == "acct_2"
    assert second.secrets == ("STRIPE_US",)


def test_nothing_is_told_to_stripe_of_the_machine() -> None:
    Stripe()

    assert sdk.enable_telemetry is False


@pytest.mark.parametrize(
    ("verb", "data", "text"),
    [
        ("create-customer", {"mail": "ada@example.com"}, "mail: Extra inputs"),
        ("create-invoice", NEW_INVOICE | {"items": []}, "items: .*at least 1"),
        ("create-invoice", NEW_INVOICE | {"currency": "euro"}, "currency: "),
        ("create-invoice", NEW_INVOICE | {"items": [{"amount": 10.5}]}, r"items\[0\].amount: "),
        ("create-invoice", NEW_INVOICE | {"items": [{}]}, r"items\[0\]: .*amount or price"),
        (
            "create-invoice",
            NEW_INVOICE | {"items": [{"amount": 1, "quantity": 2}]},
            "quantity goes with price",
        ),
        ("create-invoice", NEW_INVOICE | {"days_until_due": 14}, "days_until_due with"),
        ("create-invoice", NEW_INVOICE | {"collection_method": "send_invoice"}, "days_until_due"),
        ("create-invoice", NEW_INVOICE | {"finish": "send"}, "finish: send goes with"),
        ("create-payment-link", {"items": [{"name": "Axe", "amount": 1}]}, "expected currency"),
        ("create-payment-link", {"items": [{"name": "Axe"}]}, "price, or name and amount"),
        (
            "create-payment-link",
            {"items": [{"name": "Axe", "price": "price_1"}]},
            "price, or name and amount",
        ),
        ("refund", {}, "expected payment_intent or charge"),
        ("refund", {"charge": "ch_1", "payment_intent": "pi_1"}, "payment_intent or charge"),
        ("refund", {"charge": "ch_1", "amount": "500"}, "amount: .*integer"),
        ("refund", {"charge": "ch_1", "amount": 0}, "amount: "),
        ("refund", {"charge": "ch_1", "reason": "because"}, "reason: "),
    ],
)
async def test_a_wrong_field_is_refused_before_anything_is_sent(
    verb: str, data: dict[str, Any], text: str, provider: Provider
) -> None:
    with pytest.raises(InvalidInput, match=text):
        await performed(Stripe(url=provider.url), verb, data)
    assert provider.received == []
