"""E-mail through SendGrid."""

from __future__ import annotations

import time
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any, Final

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.http_client import Answer, HttpClient
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._email import (
    Email,
    Recipients,
    TemplatedEmail,
    addresses,
    required,
)
from hatchet_worker.integrations._models import Params, Result, with_hint
from hatchet_worker.integrations._options import option
from hatchet_worker.provider_errors import Throttled, retry_after

__all__ = ["SendGrid"]

_URL: Final = "https://api.sendgrid.com"
_DOING_NOTHING: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class _Extras(Params):
    categories: list[str] | None = None
    """Categories for SendGrid's statistics, 10 at most."""

    custom_args: dict[str, str] | None = None
    """Names and values that SendGrid keeps with the message and repeats in its webhooks."""


class SendGridEmail(_Extras, Email):
    """An e-mail whose text the step gives."""


class SendGridTemplatedEmail(_Extras, TemplatedEmail):
    """An e-mail made of a dynamic template at SendGrid.

    Its values are `model`. Without `model`, all fields that are not listed here are the values,
    and `email` is who gets it: `with: {firstName: Ada, email: ada@example.com}`.
    """


class QueuedEmail(Result):
    """What SendGrid says of an e-mail that it took."""

    message_id: str | None
    """The ID that SendGrid gave the message; IDs of events begin with it."""


class SendGrid(Integration):
    """Sends e-mail through SendGrid, with an API key that may send mail.

    ``secret`` names the secret that holds the key. ``sender`` and ``template`` are for steps that
    name none. ``url`` is another for subusers of the EU: ``https://api.eu.sendgrid.com``. Arguments
    that are None come from HATCHET_SENDGRID_SENDER, HATCHET_SENDGRID_TEMPLATE and
    HATCHET_SENDGRID_URL.
    """

    id = "sendgrid"
    secrets = ("SENDGRID_API_KEY",)

    def __init__(
        self,
        *,
        id: str = "sendgrid",  # noqa: A002 - as in the base class
        secret: str = "SENDGRID_API_KEY",  # noqa: S107 - a name
        sender: str | None = None,
        template: str | None = None,
        url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = (secret,)
        self.sender = option(sender, "HATCHET_SENDGRID_SENDER")
        self.template = option(template, "HATCHET_SENDGRID_TEMPLATE")
        self._client = HttpClient(id, option(url, "HATCHET_SENDGRID_URL", _URL))

    @action("send-email", semantics="at-most-once")
    async def send_email(self, email: SendGridEmail, context: Context) -> QueuedEmail:
        """Send an e-mail whose text the step gives.

        SendGrid has no idempotency keys, so the step fails where nobody knows whether the e-mail
        was taken. While SendGrid is not reached, limits the rate or is out of service, nothing was
        sent, and the step tries again.
        """
        content = {
            "subject": email.subject,
            "content": [
                {"type": kind, "value": value}  # the plain text has to come first
                for kind, value in (("text/plain", email.text), ("text/html", email.html))
                if value
            ],
        }
        return await self._sent(self._message(email, email.to, email) | content, context)

    @action("email-from-template", semantics="at-most-once")
    async def email_from_template(
        self, email: SendGridTemplatedEmail, context: Context
    ) -> QueuedEmail:
        """Send an e-mail made of a dynamic template at SendGrid.

        The template is named by its ID, such as `d-c6dcd1f72bdd4beeb15a9aa6c72fcd2c`. Without
        `model`, all fields that are not listed are its values: `with: {firstName: Ada, email:
        ada@example.com}` is enough where the integration has a `sender` and a `template`. What goes
        wrong is as with send-email.
        """
        message = self._message(email, email.recipients, email)
        message["personalizations"][0]["dynamic_template_data"] = email.values
        message["template_id"] = str(
            email.template or required(self.template, "template", "SendGrid")
        )
        return await self._sent(message, context)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _message(
        self, email: Email | TemplatedEmail, to: Recipients, extras: _Extras
    ) -> dict[str, Any]:
        envelope = {"to": to, "cc": email.cc, "bcc": email.bcc}
        message = {
            "personalizations": [
                {name: list(map(_named, addresses(who))) for name, who in envelope.items() if who}
            ],
            "from": _named(email.sender or required(self.sender, "from", "SendGrid")),
            "reply_to": None if email.reply_to is None else _named(email.reply_to),
            "categories": extras.categories,
            "custom_args": extras.custom_args,
        }
        return {name: value for name, value in message.items() if value is not None}

    async def _sent(self, message: dict[str, Any], context: Context) -> QueuedEmail:
        answer = await self._client.call(
            "POST",
            "/v3/mail/send",
            context,
            body=message,
            headers={"Authorization": f"Bearer {context.secrets[self.secrets[0]]}"},
        )
        self._raise_for(answer)
        return QueuedEmail(message_id=answer.headers.get("X-Message-Id"))

    def _raise_for(self, answer: Answer) -> None:
        message = with_hint(_reasons(answer.body), answer.status, self.secrets[0])
        if answer.status in _DOING_NOTHING:
            raise Throttled(self.id, message, status=answer.status, after=_wait(answer))
        self._client.raise_for(answer, code=None, message=message)


def _named(written: str) -> dict[str, str]:
    name, address = parseaddr(written)
    return {"email": address, "name": name} if name else {"email": address}


def _reasons(body: Any) -> str | None:
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list):
        return None
    return "; ".join(
        ": ".join(str(error[key]) for key in ("field", "message") if error.get(key))
        for error in errors
        if isinstance(error, dict)
    )


def _wait(answer: Answer) -> float | None:
    """Return the seconds until the rate limit's window ends, as SendGrid's own header tells it."""
    after = retry_after(answer.headers)
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if after is None and reset.isdecimal():
        return max(int(reset) - time.time(), 0.0)
    return after
