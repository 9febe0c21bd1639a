"""E-mail through Postmark."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import Field

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

__all__ = ["Postmark"]

_URL: Final = "https://api.postmarkapp.com"
_OFFLINE: Final = "100"  # the API error code of planned maintenance


class _Extras(Params):
    tag: str | None = None
    """A category for Postmark's statistics."""

    metadata: dict[str, str] | None = None
    """Names and values that Postmark keeps with the message and repeats in its webhooks."""

    stream: str | None = None
    """The ID of the message stream; if not set, the integration's `stream`, else `outbound`."""


class PostmarkEmail(_Extras, Email):
    """An e-mail whose text the step gives."""


class PostmarkTemplatedEmail(_Extras, TemplatedEmail):
    """An e-mail made of a template on Postmark's server.

    Its values are `model`. Without `model`, all fields that are not listed here are the values,
    and `email` is who gets it: `with: {firstName: Ada, email: ada@example.com}`.
    """


class SentEmail(Result):
    """What Postmark says of an e-mail that it took."""

    message_id: str | None
    """The ID that Postmark gave the message."""

    submitted_at: str | None
    """When Postmark took it, as ISO 8601."""

    message: Annotated[str | None, Field(examples=["OK"])]
    """`OK`, or which of several recipients it will not reach since they are inactive."""


class Postmark(Integration):
    """Sends e-mail through Postmark, with the API token of a server.

    ``secret`` names the secret that holds the token. ``sender``, ``template`` and ``stream`` are
    for steps that name none. Arguments that are None come from HATCHET_POSTMARK_SENDER,
    HATCHET_POSTMARK_TEMPLATE, HATCHET_POSTMARK_STREAM and HATCHET_POSTMARK_URL.
    """

    id = "postmark"
    secrets = ("POSTMARK_SERVER_TOKEN",)

    def __init__(
        self,
        *,
        id: str = "postmark",  # noqa: A002 - as in the base class
        secret: str = "POSTMARK_SERVER_TOKEN",  # noqa: S107 - a name
        sender: str | None = None,
        template: str | None = None,
        stream: str | None = None,
        url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = (secret,)
        self.sender = option(sender, "HATCHET_POSTMARK_SENDER")
        self.template = option(template, "HATCHET_POSTMARK_TEMPLATE")
        self.stream = option(stream, "HATCHET_POSTMARK_STREAM")
        self._client = HttpClient(id, option(url, "HATCHET_POSTMARK_URL", _URL))

    @action("send-email", semantics="at-most-once")
    async def send_email(self, email: PostmarkEmail, context: Context) -> SentEmail:
        """Send an e-mail whose text the step gives.

        Postmark has no idempotency keys, so the step fails where nobody knows whether the e-mail
        was taken. While Postmark is not reached, limits the rate or is in maintenance, nothing was
        sent, and the step tries again.
        """
        content = {"Subject": email.subject, "TextBody": email.text, "HtmlBody": email.html}
        message = self._message(email, email.to, email) | content
        return await self._sent("/email", message, context)

    @action("email-from-template", semantics="at-most-once")
    async def email_from_template(
        self, email: PostmarkTemplatedEmail, context: Context
    ) -> SentEmail:
        """Send an e-mail made of a template on Postmark's server.

        The template is named by its ID or its alias. Without `model`, all fields that are not
        listed are its values: `with: {firstName: Ada, email: ada@example.com}` is enough where the
        integration has a `sender` and a `template`. What goes wrong is as with send-email.
        """
        template = str(email.template or required(self.template, "template", "Postmark"))
        name = "TemplateId" if template.isdecimal() else "TemplateAlias"
        content = {
            name: int(template) if template.isdecimal() else template,
            "TemplateModel": email.values,
        }
        message = self._message(email, email.recipients, email) | content
        return await self._sent("/email/withTemplate", message, context)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _message(
        self, email: Email | TemplatedEmail, to: Recipients, extras: _Extras
    ) -> dict[str, Any]:
        return {
            "From": email.sender or required(self.sender, "from", "Postmark"),
            "To": _joined(to),
            "Cc": _joined(email.cc),
            "Bcc": _joined(email.bcc),
            "ReplyTo": email.reply_to,
            "Tag": extras.tag,
            "Metadata": extras.metadata,
            "MessageStream": extras.stream or self.stream,
        }

    async def _sent(self, path: str, message: dict[str, Any], context: Context) -> SentEmail:
        answer = await self._client.call(
            "POST",
            path,
            context,
            body={name: value for name, value in message.items() if value is not None},
            headers={
                "Accept": "application/json",
                "X-Postmark-Server-Token": context.secrets[self.secrets[0]],
            },
        )
        self._raise_for(answer)
        return SentEmail(
            message_id=answer.field("MessageID"),
            submitted_at=answer.field("SubmittedAt"),
            message=answer.field("Message"),
        )

    def _raise_for(self, answer: Answer) -> None:
        code, message = answer.field("ErrorCode"), answer.field("Message")
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE or code == _OFFLINE:
            # So Postmark answers during planned outages, when it takes nothing.
            raise Throttled(
                self.id,
                message or "out of service",
                status=answer.status,
                code=code,
                after=retry_after(answer.headers),
            )
        message = with_hint(message, answer.status, self.secrets[0])
        self._client.raise_for(answer, code=code, message=message)


def _joined(recipients: Recipients | None) -> str | None:
    return ", ".join(addresses(recipients)) or None
