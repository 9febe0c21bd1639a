"""An e-mail as it is sent by SMTP: a message in MIME, and the envelope around it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, localtime, parseaddr
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from hatchet_worker.errors import InvalidInput
from hatchet_worker.integrations._email import Email, Line, addresses
from hatchet_worker.integrations._models import Params
from hatchet_worker.integrations._octets import Base64

__all__ = ["Attachment", "Envelope", "MimeEmail", "envelope_of"]

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*", re.ASCII)
_MAX_ATTACHMENTS: Final = 20


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text) or text.startswith(("multipart/", "message/")):
        raise ValueError("expected a media type such as application/pdf")
    return text


class Attachment(Params):
    """A file to send along."""

    name: Annotated[Line, Field(min_length=1, max_length=255)]
    """The file's name."""

    base64: Base64
    """What it holds, as base64."""

    content_type: Annotated[str, AfterValidator(_media_type)] = "application/octet-stream"
    """Its media type."""


class MimeEmail(Email):
    """An e-mail to send."""

    attachments: Annotated[list[Attachment], Field(max_length=_MAX_ATTACHMENTS)] = Field(
        default_factory=list[Attachment]
    )
    """Files to send along; a step's `with` has room for about 1.4 MB of them."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an SMTP server is told: bare addresses, and the message as it is sent."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    octets: bytes


def envelope_of(email: MimeEmail, sender: str, key: str) -> Envelope:
    """Return what is sent for ``email``, whose Message-ID is made of ``key``.

    Raises:
        InvalidInput: an address holds what only some servers take.

    """
    to, cc = list(addresses(email.to)), list(addresses(email.cc))
    bare = _bare(sender)
    message_id = f"<{key}@{bare.rpartition('@')[2]}>"
    message = EmailMessage(policy=SMTP_POLICY)
    headers = {
        "From": sender,
        "To": ", ".join(to),
        "Cc": ", ".join(cc),
        "Reply-To": email.reply_to,
        "Subject": email.subject,
        "Date": format_datetime(localtime()),
        "Message-ID": message_id,
    }
    for name, value in headers.items():
        if value:
            message[name] = value.strip()  # a block of YAML ends in a line break
    if email.text:
        message.set_content(email.text)
    if email.html and email.text:
        message.add_alternative(email.html, subtype="html")
    elif email.html:
        message.set_content(email.html, subtype="html")
    for attachment in email.attachments:
        kind, _, subtype = attachment.content_type.partition("/")
        message.add_attachment(
            base64.b64decode(attachment.base64),
            maintype=kind,
            subtype=subtype,
            filename=attachment.name,
        )
    everybody = dict.fromkeys(_bare(each) for each in (*to, *cc, *addresses(email.bcc)))
    return Envelope(bare, tuple(everybody), message_id, message.as_bytes())


def _bare(text: str) -> str:
    """Return the address in ``text``, without the name."""
    address = parseaddr(text)[1]
    if not address.isascii():
        raise InvalidInput(
            f"{address!r} has letters beyond ASCII: write the domain as xn--...; before the @ they "
            "are not supported"
        )
    return address
