"""What a request holds and what comes back."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, JsonValue

from hatchet_worker.integrations._models import Params, Result
from hatchet_worker.integrations.http.targets import read_url

__all__ = ["Request", "Response"]

_MAX_URL_CHARACTERS: Final = 8_192
_MAX_HEADERS: Final = 64
_MAX_HEADERS_BYTES: Final = 16 * 1024
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # section 5.5: all but the tab
_OURS: Final = frozenset(
    "connection content-length expect host keep-alive proxy-authenticate proxy-authorization "
    "proxy-connection te trailer transfer-encoding upgrade".split()
)


def _url(text: str) -> str:
    read_url(text)
    return text


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")
    if text.lower() in _OURS:
        raise ValueError(f"the header {text!r} is set by the connection, not by a step")
    return text


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        _header_name(name)
        if _CONTROLS.search(value):  # the value may be a secret
            raise ValueError(f"the value of header {name!r} has line breaks or control characters")
    if len({name.lower() for name in headers}) != len(headers):
        raise ValueError("a header stands twice, in different case")
    size = sum(len(name) + len(value.encode()) for name, value in headers.items())
    if len(headers) > _MAX_HEADERS or size > _MAX_HEADERS_BYTES:
        raise ValueError(f"at most {_MAX_HEADERS} headers of {_MAX_HEADERS_BYTES:,} bytes are sent")
    return headers


class Request(Params):
    """The request to send."""

    url: Annotated[str, Field(max_length=_MAX_URL_CHARACTERS), AfterValidator(_url)]
    """An absolute URL of http or https, without credentials in it."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """The method, in capitals."""

    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default_factory=dict[str, str]
    )
    """Headers by name. Those of the connection, such as `Host` and `Content-Length`, are not for
    steps to set."""

    query: dict[str, str | int | float] = Field(default_factory=dict[str, str | int | float])
    """Parameters to add to the URL's query, encoded here."""

    body: JsonValue = None
    """What to send: a text as it is, anything else as JSON, nothing where it is null."""

    idempotency_header: Annotated[
        str | None,
        AfterValidator(lambda name: name and _header_name(name)),
    ] = None
    """The name of a header for the step's idempotency key, which is the same in each attempt:
    `Idempotency-Key` for many services."""

    accept_statuses: list[Annotated[int, Field(ge=400, le=599)]] = Field(default_factory=list[int])
    """Statuses from 400 on that are no error, such as 404 where something may be missing."""

    follow_redirects: bool = True
    """Whether to follow redirects, each only where a request may go; five at most. Headers of the
    step are left out once one leads to another host."""


class Response(Result):
    """The answer."""

    status: int
    """The HTTP status."""

    headers: dict[str, str]
    """Headers by name, in lower case; of those that stand more than once, the values with commas
    between them."""

    body: Any
    """The data of an answer that says it is JSON, the text of any other, null for none."""

    url: str
    """Where the answer came from, after redirects."""
