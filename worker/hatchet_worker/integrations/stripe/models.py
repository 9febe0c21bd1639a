"""What Stripe's actions take and put out; amounts are in a currency's smallest unit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hatchet_worker.integrations._models import Params, Result

__all__ = [
    "Customer",
    "Invoice",
    "InvoiceItem",
    "LinkItem",
    "NewCustomer",
    "NewInvoice",
    "NewPaymentLink",
    "NewRefund",
    "PaymentLink",
    "Refund",
]

Currency = Annotated[str, Field(pattern="^[A-Za-z]{3}$"), AfterValidator(str.lower)]
Text = Annotated[str, Field(min_length=1)]
Metadata = Annotated[dict[str, str], Field(max_length=50)]


class NewCustomer(Params):
    """A customer to be created."""

    email: Text | None = None
    """The customer's e-mail address."""

    name: Text | None = None
    """The customer's name, as invoices show it."""

    phone: Text | None = None
    """The customer's telephone number."""

    description: Text | None = None
    """A note that the customer does not see."""

    metadata: Metadata | None = None
    """Names and values that Stripe keeps with the customer, such as your own ID."""


class Customer(Result):
    """A customer that was created."""

    customer_id: str
    """The customer's ID, `cus_…`."""

    email: str | None
    """The customer's e-mail address."""

    name: str | None
    """The customer's name."""


class InvoiceItem(Params):
    """A line of an invoice: an amount, or a price that Stripe knows."""

    description: Text | None = None
    """What it is for."""

    amount: int | None = None
    """The line's amount in the currency's smallest unit, such as cents; a negative one is a
    credit. This or `price`."""

    price: Text | None = None
    """The ID of a price, `price_…`. This or `amount`."""

    quantity: Annotated[int, Field(ge=1)] | None = None
    """How many of `price`; if not set, 1."""

    @model_validator(mode="after")
    def _costs_one_thing(self) -> Self:
        if (self.amount is None) == (self.price is None):
            raise ValueError("expected amount or price")
        if self.amount is not None and self.quantity is not None:
            raise ValueError("quantity goes with price: amount is that of the whole line")
        return self


class NewInvoice(Params):
    """An invoice to be created."""

    customer: Text
    """The customer's ID, `cus_…`."""

    currency: Currency
    """The currency as three letters, such as `eur`."""

    items: Annotated[list[InvoiceItem], Field(min_length=1, max_length=100)]
    """The lines."""

    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    """Whether Stripe charges the customer's default payment method, or the customer pays by the
    invoice that is sent."""

    days_until_due: Annotated[int, Field(ge=0)] | None = None
    """In how many days it is due; for `send_invoice`, which needs it."""

    description: Text | None = None
    """A text above the lines."""

    metadata: Metadata | None = None
    """Names and values that Stripe keeps with the invoice."""

    finish: Literal["draft", "finalize", "send"] = "finalize"
    """How far to go: leave a `draft`, `finalize` it, or `send` it to the customer as well, which
    goes with `send_invoice`. Once it is final, Stripe collects the payment."""

    @model_validator(mode="after")
    def _can_be_collected(self) -> Self:
        sent = self.collection_method == "send_invoice"
        if sent != (self.days_until_due is not None):
            raise ValueError("expected days_until_due with send_invoice, and there alone")
        if self.finish == "send" and not sent:
            raise ValueError("finish: send goes with collection_method: send_invoice")
        return self


class Invoice(Result):
    """An invoice that was created."""

    invoice_id: str
    """The invoice's ID, `in_…`."""

    status: str | None
    """`draft`, `open`, or `paid` where nothing is to be paid."""

    number: str | None
    """Its number, once it is final."""

    total: int
    """Its total in the currency's smallest unit."""

    currency: str
    """Its currency."""

    hosted_invoice_url: str | None
    """Where the customer can see and pay it, once it is final."""

    invoice_pdf: str | None
    """Where its PDF is, once it is final."""


class LinkItem(Params):
    """Something to be paid for: a price that Stripe knows, or a name and its amount."""

    price: Text | None = None
    """The ID of a price, `price_…`. This, or `name` and `amount`."""

    name: Text | None = None
    """What it is, as the customer sees it."""

    amount: Annotated[int, Field(ge=0)] | None = None
    """What one costs, in the currency's smallest unit, such as cents."""

    quantity: Annotated[int, Field(ge=1)] = 1
    """How many."""

    @model_validator(mode="after")
    def _costs_one_thing(self) -> Self:
        given = tuple(each is not None for each in (self.price, self.name, self.amount))
        if given not in ((True, False, False), (False, True, True)):
            raise ValueError("expected price, or name and amount")
        return self


class NewPaymentLink(Params):
    """A payment link to be created."""

    items: Annotated[list[LinkItem], Field(min_length=1, max_length=20)]
    """What is to be paid for."""

    currency: Currency | None = None
    """The currency as three letters, such as `eur`; items with an `amount` need it."""

    redirect_url: Text | None = None
    """Where the customer goes after the payment; if not set, Stripe confirms it."""

    metadata: Metadata | None = None
    """Names and values that Stripe keeps with the link, and copies to its checkout sessions."""

    @model_validator(mode="after")
    def _has_a_currency(self) -> Self:
        if self.currency is None and any(item.amount is not None for item in self.items):
            raise ValueError("expected currency, which items with an amount need")
        return self


class PaymentLink(Result):
    """A payment link that was created."""

    payment_link_id: str
    """The link's ID, `plink_…`."""

    url: str
    """The link itself, to be given to customers."""


class NewRefund(Params):
    """A refund to be made."""

    payment_intent: Text | None = None
    """The ID of the payment, `pi_…`. This or `charge`."""

    charge: Text | None = None
    """The ID of the charge, `ch_…`. This or `payment_intent`."""

    amount: Annotated[int, Field(ge=1)] | None = None
    """How much, in the currency's smallest unit; if not set, all that was not refunded yet."""

    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    """Why."""

    metadata: Metadata | None = None
    """Names and values that Stripe keeps with the refund."""

    @model_validator(mode="after")
    def _is_of_one_payment(self) -> Self:
        if (self.payment_intent is None) == (self.charge is None):
            raise ValueError("expected payment_intent or charge")
        return self


class Refund(Result):
    """A refund that was made, or is under way."""

    refund_id: str
    """The refund's ID, `re_…`."""

    status: str | None
    """`succeeded`, `pending`, `requires_action`, `failed` or `canceled`."""

    amount: int
    """How much, in the currency's smallest unit."""

    currency: str
    """The currency."""

    failure_reason: str | None
    """Why it failed, if it did."""
