"""Stripe: customers, invoices, payment links and refunds, through Stripe's own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._options import option
from hatchet_worker.integrations.stripe.calls import StripeCalls
from hatchet_worker.integrations.stripe.models import (
    Customer,
    Invoice,
    InvoiceItem,
    LinkItem,
    NewCustomer,
    NewInvoice,
    NewPaymentLink,
    NewRefund,
    PaymentLink,
    Refund,
)
from hatchet_worker.provider_errors import Refused

if TYPE_CHECKING:
    from stripe import Invoice as StripeInvoice
    from stripe import RequestOptions

__all__ = ["Stripe"]

_URL: Final = "https://api.stripe.com"
_TIMEOUT_SECONDS: Final = 80.0  # the SDK's own


class Stripe(Integration):
    """Creates customers, invoices, payment links and refunds at Stripe.

    ``secret`` names the secret that holds the API key; a restricted key for these resources is
    enough. ``account`` is the ID of a connected account to act for, ``acct_…``. Arguments that are
    None come from HATCHET_STRIPE_ACCOUNT and HATCHET_STRIPE_URL.

    Every call has an idempotency key, so that another attempt does nothing a second time. Stripe
    keeps these keys for at least 24 hours: let no step be tried for longer.
    """

    id = "stripe"
    secrets = ("STRIPE_API_KEY",)

    def __init__(
        self,
        *,
        id: str = "stripe",  # noqa: A002 - as in the base class
        secret: str = "STRIPE_API_KEY",  # noqa: S107 - a name
        account: str | None = None,
        url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = (secret,)
        self._calls = StripeCalls(
            id,
            option(url, "HATCHET_STRIPE_URL", _URL),
            secret,
            option(account, "HATCHET_STRIPE_ACCOUNT"),
            timeout_seconds=_TIMEOUT_SECONDS,
        )

    @action("create-customer", semantics="idempotent")
    async def create_customer(self, new: NewCustomer, context: Context) -> Customer:
        """Create a customer; Stripe allows several with one e-mail address."""
        customer = await self._calls.call(
            lambda stripe: stripe.v1.customers.create_async(_given(new), _key(context)), context
        )
        return Customer(customer_id=customer.id, email=customer.email, name=customer.name)

    @action("create-invoice", semantics="idempotent")
    async def create_invoice(self, new: NewInvoice, context: Context) -> Invoice:
        """Create an invoice with its lines, and finalize or send it.

        Until all lines are there it is a draft that Stripe lets alone; where a line is refused,
        that draft stays, and the log tells its ID. Other pending items of the customer are left
        for another invoice.
        """
        params: Any = {
            **_given(new, but={"items", "finish"}),
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
        }
        invoice = await self._calls.call(
            lambda stripe: stripe.v1.invoices.create_async(params, _key(context, "invoice")),
            context,
        )
        try:
            for place, item in enumerate(new.items):
                key = _key(context, f"item-{place}")
                await self._add_to_invoice(invoice.id, new, item, key, context)
            return _invoice(await self._finished(invoice.id, new, context))
        except Refused:
            context.logger.warning("stripe.draft_left", invoice=invoice.id)
            raise

    @action("create-payment-link", semantics="idempotent")
    async def create_payment_link(self, new: NewPaymentLink, context: Context) -> PaymentLink:
        """Create a link to a page where any number of customers can pay for the items."""
        params: Any = {"line_items": [_line_item(item, new.currency) for item in new.items]}
        if new.metadata is not None:
            params["metadata"] = new.metadata
        if new.redirect_url is not None:
            params["after_completion"] = {
                "type": "redirect",
                "redirect": {"url": new.redirect_url},
            }
        link = await self._calls.call(
            lambda stripe: stripe.v1.payment_links.create_async(params, _key(context)), context
        )
        return PaymentLink(payment_link_id=link.id, url=link.url)

    @action("refund", semantics="idempotent")
    async def refund(self, new: NewRefund, context: Context) -> Refund:
        """Refund a payment, or a part of one.

        Stripe may make it later: then its `status` is `pending`.
        """
        made = await self._calls.call(
            lambda stripe: stripe.v1.refunds.create_async(_given(new), _key(context)), context
        )
        return Refund(
            refund_id=made.id,
            status=made.status,
            amount=made.amount,
            currency=made.currency,
            failure_reason=getattr(made, "failure_reason", None),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _add_to_invoice(
        self,
        invoice_id: str,
        new: NewInvoice,
        item: InvoiceItem,
        key: RequestOptions,
        context: Context,
    ) -> None:
        params: Any = {"customer": new.customer, "invoice": invoice_id}
        if item.description is not None:
            params["description"] = item.description
        if item.price is None:
            params |= {"amount": item.amount, "currency": new.currency}
        else:
            params |= {"pricing": {"price": item.price}, "quantity": item.quantity or 1}
        await self._calls.call(
            lambda stripe: stripe.v1.invoice_items.create_async(params, key), context
        )

    async def _finished(self, invoice_id: str, new: NewInvoice, context: Context) -> StripeInvoice:
        key = _key(context, new.finish)
        if new.finish == "send":  # this finalizes it, too
            return await self._calls.call(
                lambda stripe: stripe.v1.invoices.send_invoice_async(invoice_id, {}, key), context
            )
        if new.finish == "finalize":
            return await self._calls.call(
                lambda stripe: stripe.v1.invoices.finalize_invoice_async(
                    invoice_id, {"auto_advance": True}, key
                ),
                context,
            )
        return await self._calls.call(
            lambda stripe: stripe.v1.invoices.retrieve_async(invoice_id), context
        )


def _key(context: Context, call: str | None = None) -> RequestOptions:
    """Return the idempotency key of the step's only call, or of one of its calls."""
    own = context.idempotency_key
    return {"idempotency_key": own if call is None else f"{own}-{call}"}


def _given(params: NewCustomer | NewInvoice | NewRefund, *, but: set[str] | None = None) -> Any:
    """Return the fields that have a value, which have Stripe's own names."""
    return params.model_dump(exclude_none=True, exclude=but)


def _line_item(item: LinkItem, currency: str | None) -> dict[str, Any]:
    if item.price is not None:
        return {"price": item.price, "quantity": item.quantity}
    price = {
        "currency": currency,
        "unit_amount": item.amount,
        "product_data": {"name": item.name},
    }
    return {"price_data": price, "quantity": item.quantity}


def _invoice(invoice: StripeInvoice) -> Invoice:
    return Invoice(
        invoice_id=invoice.id,
        status=invoice.status,
        number=invoice.number,
        total=invoice.total,
        currency=invoice.currency,
        hosted_invoice_url=invoice.hosted_invoice_url,
        invoice_pdf=invoice.invoice_pdf,
    )
