"""Stripe: customers, invoices, payment links and refunds, through Stripe's own SDK."""

from hatchet_worker.integrations.stripe.integration import Stripe

__all__ = ["Stripe"]
