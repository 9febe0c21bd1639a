"""CloudEvents 1.0 in its bindings to RabbitMQ and AMQP, and in its JSON format.

Binary mode has the attributes in headers: ``ce-id`` (RabbitMQ binding, section 3.1.3.1),
``cloudEvents:id`` or, for JMS, ``cloudEvents_id`` (AMQP binding, section 3.1.3.1; RabbitMQ turns
AMQP 1.0's application properties into headers). Structured mode has all in the body.

The SDK (`cloudevents` 2.2) is what the tests compare this with. It is not used here, since what it
reads is not what was sent: it makes up a missing id, skips what is no base64, takes the last of
fields that stand twice, and refuses leap seconds and attributes that are null, which the
specification allows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from hatchet_router.contents import contents_of, text_of
from hatchet_router.envelopes import Envelope
from hatchet_router.json_bodies import json_object, strict_json
from hatchet_router.reasons import UNSUPPORTED_ENCODING
from hatchet_router.refusals import Refusal, shown
from hatchet_router.timestamps import read_time

__all__ = [
    "CLOUD_EVENTS",
    "CLOUD_EVENTS_BATCH",
    "CLOUD_EVENTS_JSON",
    "ID_HEADERS",
    "as_headers",
    "attributes_in",
    "of_binary",
    "of_structured",
]

CLOUD_EVENTS: Final = "application/cloudevents"
"""What the content types of structured mode begin with (AMQP binding, section 3)."""

CLOUD_EVENTS_BATCH: Final = "application/cloudevents-batch"

CLOUD_EVENTS_JSON: Final = "application/cloudevents+json"

ID_HEADERS: Final = ("ce-id", "cloudEvents:id", "cloudEvents_id")

_PREFIXES: Final = ("ce-", "cloudevents_", "cloudevents:")
_INITIAL: Final = frozenset("cC")
_REQUIRED: Final = ("specversion", "id", "source", "type")
_VERSION: Final = "1.0"


def attributes_in(headers: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the attributes in ``headers``, None if there is none that a CloudEvent must have.

    Raises:
        Refusal: an attribute has two values.

    """
    attributes: dict[str, Any] = {}
    ambiguous = None
    for header, value in headers.items():
        if header[:1] not in _INITIAL:
            continue
        name = header.lower()
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                attribute = name[len(prefix) :]
                if attribute in attributes and attributes[attribute] != value:
                    ambiguous = attribute
                attributes[attribute] = value
    if not any(name in attributes for name in _REQUIRED):
        return None
    if ambiguous is not None:
        raise Refusal(f"CloudEvents attribute {shown(ambiguous)} has two values")
    return attributes


def as_headers(event_id: str, source: str, kind: str, time: datetime) -> dict[str, Any]:
    """Return the headers of an event in binary mode; ``kind`` is its type."""
    return {
        "ce-id": event_id,
        "ce-source": source,
        "ce-specversion": _VERSION,
        "ce-time": time.isoformat(),
        "ce-type": kind,
    }


def of_binary(attributes: Mapping[str, Any], text: str, what: str) -> Envelope:
    """Return the event whose data are ``text``, which ``what`` names; there may be none.

    Raises:
        Refusal: it is no CloudEvent, or its data are no JSON object.

    """
    data = json_object(strict_json(text, what), what) if text else {}
    return _envelope(attributes, data)


def of_structured(body: Any) -> Envelope:
    """Return the event in ``body``, which is in the JSON format.

    Raises:
        Refusal: it is no CloudEvent, or its data are no JSON object.

    """
    members = json_object(body, "the body")
    if "data" in members and members.get("data_base64") is not None:
        raise Refusal("the CloudEvent has both data and data_base64")
    # JSON format, section 2.2: null is the same as no attribute.
    attributes = {name: value for name, value in members.items() if value is not None}
    if "data" in members:
        data = json_object(members["data"], f"the CloudEvent's data{_content_type(attributes)}")
    elif "data_base64" in attributes:
        data = _of_base64(attributes)
    else:
        data = {}
    return _envelope(attributes, data)


def _envelope(attributes: Mapping[str, Any], data: dict[str, Any]) -> Envelope:
    for name in _REQUIRED:
        value = attributes.get(name)
        if value is None or value == "":
            raise Refusal(f"CloudEvents attribute {name!r} is missing")
        if not isinstance(value, str):
            raise Refusal(f"CloudEvents attribute {name!r} is {shown(value)}, expected a text")
    if attributes["specversion"] != _VERSION:
        raise Refusal(
            f"version {shown(attributes['specversion'])} of CloudEvents is not supported, "
            f"expected {_VERSION!r}",
            UNSUPPORTED_ENCODING,
        )
    time = attributes.get("time")
    return Envelope(
        data,
        id=attributes["id"],
        time=None if time is None else read_time(time, "CloudEvents attribute 'time'"),
        source=attributes["source"],
    )


def _of_base64(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data in ``data_base64``, JSON in the charset that its content type names."""
    what = f"the CloudEvent's data_base64{_content_type(attributes)}"
    encoded = attributes["data_base64"]
    if not isinstance(encoded, str):
        raise Refusal(f"{what} is {shown(encoded)}, expected a text")
    try:
        octets = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):  # ValueError: it is not ASCII
        raise Refusal(f"{what} is not base64") from None
    content_type = attributes.get("datacontenttype")
    contents = contents_of(content_type if isinstance(content_type, str) else None, None)
    text = text_of(octets, replace(contents, name=what), {}, max_bytes=len(octets))
    return json_object(strict_json(text, what), what)


def _content_type(attributes: Mapping[str, Any]) -> str:
    """Return what the data are said to be, in brackets, "" if that is JSON or nothing."""
    content_type = attributes.get("datacontenttype")
    if not isinstance(content_type, str) or "json" in content_type.lower():
        return ""
    return f" ({shown(content_type)})"
