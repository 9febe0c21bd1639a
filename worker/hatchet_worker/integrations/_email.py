"""What a step says of an e-mail, alike for all providers of e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import getaddresses, parseaddr
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from hatchet_worker.errors import InvalidInput
from hatchet_worker.integrations._models import Params

__all__ = ["Address", "Email", "Recipients", "TemplatedEmail", "addresses", "required"]


def _address(text: str) -> str:
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or any(char.isspace() for char in address):
        raise ValueError("expected an e-mail address, such as ada@example.com")
    if len(getaddresses([text])) > 1:
        raise ValueError("expected one e-mail address; write several as a list")
    return _line(text)


def _line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("expected one line")
    return text


Line = Annotated[str, AfterValidator(_line)]
"""A text without line breaks, as headers of e-mails are."""

Address = Annotated[str, AfterValidator(_address)]
"""An e-mail address, alone or as ``Ada Lovelace <ada@example.com>``."""

Recipients = Address | Annotated[list[Address], Field(min_length=1)]
"""An address or a list of them."""


class _Envelope(Params):
    cc: Recipients | None = None
    """Who else gets it, as all recipients see: an address or a list of them."""

    bcc: Recipients | None = None
    """Who gets it without the others' seeing that: an address or a list of them."""

    sender: Address | None = Field(default=None, alias="from")
    """From whom it is: an address alone or `Ada <ada@example.com>`; if not set, the
    integration's `sender`. The provider has to know it as yours."""

    reply_to: Address | None = None
    """Where answers go, if not to `from`."""


class _Written(Params):
    to: Recipients
    """Who gets it: an address, alone or as `Ada <ada@example.com>`, or a list of them."""

    subject: Line
    """What stands in the subject line."""

    text: str | None = None
    """The body as plain text; `text`, `html` or both are needed."""

    html: str | None = None
    """The body as HTML."""

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if not (self.text or self.html):
            raise ValueError("expected text or html")
        return self


class Email(_Envelope, _Written):
    """An e-mail whose text the step gives."""


class _Templated(Params):
    to: Recipients | None = None
    """Who gets it: an address, alone or as `Ada <ada@example.com>`, or a list of them; if not
    set, `email`."""

    email: Recipients | None = None
    """Who gets it where `to` is not set; without `model` it is a value of the template, too."""

    template: Annotated[str, Field(min_length=1)] | int | None = None
    """Which template, by its id or its alias; if not set, the integration's `template`."""

    model: dict[str, Any] | None = None
    """The template's values by their names; with it, no other fields may be added."""

    @model_validator(mode="after")
    def _is_told_once(self) -> Self:
        if self.to is None and self.email is None:
            raise ValueError("expected to, or email: who gets it")
        unknown = ", ".join(sorted(self.model_extra or {}))
        if self.model is not None and unknown:
            raise ValueError(f"{unknown}: with model, the template's values stand below it")
        return self

    @property
    def recipients(self) -> Recipients:
        """Who gets it."""
        chosen = self.to if self.to is not None else self.email
        return [] if chosen is None else chosen

    @property
    def values(self) -> dict[str, Any]:
        """The values of the template."""
        if self.model is not None:
            return self.model
        email = {} if self.email is None else {"email": self.email}
        return {**email, **(self.model_extra or {})}


class TemplatedEmail(_Envelope, _Templated):
    """An e-mail whose text is a template that the provider keeps.

    Its values are `model`. Without `model`, all fields that are not listed here are the values,
    and `email` is who gets it.
    """

    model_config = ConfigDict(extra="allow")


def addresses(recipients: Recipients | None) -> Iterator[str]:
    """Yield each of ``recipients``, as it is written."""
    if isinstance(recipients, str):
        yield recipients
    elif recipients is not None:
        yield from recipients


def required(value: str | None, field: str, integration: str) -> str:
    """Return ``value``, which a step has to give where the integration has no default.

    Raises:
        InvalidInput: neither has; the message says where it can be set.

    """
    if value:
        return value
    option = "sender" if field == "from" else field
    raise InvalidInput(
        f"{field}: Field required; or give the integration a default: {integration}({option}=...) "
        f"or HATCHET_{integration.upper()}_{option.upper()}"
    )
