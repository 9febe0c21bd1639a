"""What a provider posts, and what is read from it, in terms that know no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hatchet_router.json_bodies import json_object, strict_json
from hatchet_router.refusals import Refusal, shown
from hatchet_router.timestamps import read_time

__all__ = ["Answer", "WebhookEvent", "WebhookRequest", "required_text", "time_of"]


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """The headers, found in whatever case their names are written, and the body as it came."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return the header of that name, "" if there is none."""
        return self.headers.get(name, "")

    @property
    def text(self) -> str:
        """The body as text.

        Raises:
            Refusal: it is not UTF-8.

        """
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise Refusal("the body is not UTF-8") from None

    def json(self) -> dict[str, Any]:
        """Return the JSON object that the body is.

        Raises:
            Refusal: it is none.

        """
        return json_object(strict_json(self.text), "the body")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event to publish; ``time`` is when it happened, where the provider says so."""

    key: str
    id: str
    data: Mapping[str, Any]
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider asks for that is no event: it is answered with ``data``, as JSON."""

    data: Mapping[str, Any]


def required_text(data: Mapping[str, Any], field: str, what: str = "the body") -> str:
    """Return the text in ``field`` of ``data``, which ``what`` names.

    Raises:
        Refusal: there is none, or it is empty.

    """
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise Refusal(f"{what} has {shown(value)} as {field!r}, expected a text")
    return value


def time_of(value: Any, what: str) -> datetime | None:
    """Return the time that a provider wrote as ``value``, which ``what`` names; None for none.

    It is a number of seconds since 1970, or a text of RFC 3339.

    Raises:
        Refusal: it is neither.

    """
    match value:
        case None:
            return None
        case int() if not isinstance(value, bool):
            try:
                return datetime.fromtimestamp(value, UTC)
            except (ValueError, OverflowError, OSError):
                raise Refusal(f"{what} {value} is no time in the years 1 to 9999") from None
        case _:
            return read_time(value, what)
