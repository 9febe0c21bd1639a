"""E-mail through Amazon SES (its API, version 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._aws import AwsClients, aws_errors
from hatchet_worker.integrations._email import (
    Email,
    Recipients,
    TemplatedEmail,
    addresses,
    required,
)
from hatchet_worker.integrations._models import Params, Result
from hatchet_worker.integrations._options import option

__all__ = ["SES"]


class _Extras(Params):
    tags: dict[str, str] | None = None
    """Names and values that SES repeats in its events."""

    configuration_set: str | None = None
    """A configuration set's name; if not set, the integration's `configuration_set`."""


class SesEmail(_Extras, Email):
    """An e-mail whose text the step gives."""


class SesTemplatedEmail(_Extras, TemplatedEmail):
    """An e-mail made of a template that SES keeps.

    Its values are `model`. Without `model`, all fields that are not listed here are the values,
    and `email` is who gets it: `with: {firstName: Ada, email: ada@example.com}`.
    """


class SentEmail(Result):
    """What SES says of an e-mail that it took."""

    message_id: str
    """The ID that SES gave the message."""


class SES(Integration):
    """Sends e-mail through Amazon SES.

    Credentials are found as boto3 always finds them, in variables, files or as the role of the
    machine; or ``secrets`` are the names of two that hold an access key. ``sender``, ``template``
    and ``configuration_set`` are for steps that name none. Arguments that are None come from
    HATCHET_SES_SENDER, HATCHET_SES_TEMPLATE, HATCHET_SES_CONFIGURATION_SET, HATCHET_SES_REGION and
    HATCHET_SES_ENDPOINT_URL.
    """

    id = "ses"

    def __init__(
        self,
        *,
        id: str = "ses",  # noqa: A002 - as in the base class
        secrets: Sequence[str] = (),
        sender: str | None = None,
        template: str | None = None,
        configuration_set: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = tuple(secrets)
        self.sender = option(sender, "HATCHET_SES_SENDER")
        self.template = option(template, "HATCHET_SES_TEMPLATE")
        self.configuration_set = option(configuration_set, "HATCHET_SES_CONFIGURATION_SET")
        self._clients = AwsClients(
            "sesv2", "ses", secrets=self.secrets, region=region, endpoint_url=endpoint_url
        )

    @action("send-email", semantics="at-most-once")
    def send_email(self, email: SesEmail, context: Context) -> SentEmail:
        """Send an e-mail whose text the step gives.

        SES has no idempotency keys, so the step fails where nobody knows whether the e-mail was
        taken. While SES is not reached or limits the rate, nothing was sent, and the step tries
        again.
        """
        bodies = {"Text": email.text, "Html": email.html}
        content = {
            "Subject": _utf8(email.subject),
            "Body": {kind: _utf8(text) for kind, text in bodies.items() if text},
        }
        return self._sent(email, email.to, email, {"Simple": content}, context)

    @action("email-from-template", semantics="at-most-once")
    def email_from_template(self, email: SesTemplatedEmail, context: Context) -> SentEmail:
        """Send an e-mail made of a template that SES keeps, named by its name or its ARN.

        SES takes the e-mail before it renders the template: values that are missing are told by
        its events alone. What goes wrong otherwise is as with send-email.
        """
        template = str(email.template or required(self.template, "template", "SES"))
        named = "TemplateArn" if template.startswith("arn:") else "TemplateName"
        content = {named: template, "TemplateData": to_json(email.values).decode()}
        return self._sent(email, email.recipients, email, {"Template": content}, context)

    async def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _sent(
        self,
        email: Email | TemplatedEmail,
        to: Recipients,
        extras: _Extras,
        content: Mapping[str, Any],
        context: Context,
    ) -> SentEmail:
        fields: dict[str, Any] = {
            "FromEmailAddress": email.sender or required(self.sender, "from", "SES"),
            "Destination": {
                "ToAddresses": list(addresses(to)),
                "CcAddresses": list(addresses(email.cc)),
                "BccAddresses": list(addresses(email.bcc)),
            },
            "ReplyToAddresses": list(addresses(email.reply_to)),
            "Content": content,
        }
        if extras.tags:
            fields["EmailTags"] = [
                {"Name": name, "Value": value} for name, value in extras.tags.items()
            ]
        if name := extras.configuration_set or self.configuration_set:
            fields["ConfigurationSetName"] = name
        with aws_errors(self.id):
            answer = self._clients.client(context).send_email(**fields)
        return SentEmail(message_id=answer["MessageId"])


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
