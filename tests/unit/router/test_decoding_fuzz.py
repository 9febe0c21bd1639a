"""Whatever comes from the bus is an event or a rejection, and nothing in it does harm.

Each test takes ``HATCHET_FUZZ_EXAMPLES`` messages, a hundred where that is not set.
``tests/fuzz/decoding.py`` makes others, guided by the lines of the decoder that they reach.
"""

import base64
import gzip
import json
import os
import re
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from hatchet_router.decoding import MAX_ID_BYTES, decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event
from hatchet_schemas.names import workflow_id

KINDS = {"undecodable", "too-large", "unsupported-encoding"}
MAX_BODY_BYTES = 4096
MAX_SECONDS = 1.0
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SAFE_ID = re.compile(r"[A-Za-z0-9._:/@~%-]+")

fuzzed = settings(
    max_examples=int(os.environ.get("HATCHET_FUZZ_EXAMPLES", "100")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def checked(delivery: Delivery) -> Event | Rejection:
    """Return what becomes of a delivery, which is to be sound whatever the delivery is."""

    def outcome() -> Event | Rejection:
        return decode(
            delivery, max_body_bytes=MAX_BODY_BYTES, now=lambda: NOON, new_id=lambda: "new"
        )

    began = time.process_time()
    found = outcome()
    assert time.process_time() - began < MAX_SECONDS
    assert found == outcome(), "a redelivery is the same event"
    if isinstance(found, Rejection):
        assert found.kind in KINDS
        assert found.message.isprintable()
        assert len(found.message) < 500
        assert found.event_id
        assert len(found.event_id.encode()) <= MAX_ID_BYTES
        return found
    assert 0 < len(found.id.encode()) <= MAX_ID_BYTES
    assert found.key == delivery.routing_key
    assert found.time.utcoffset() == timedelta(0)
    assert Event.model_validate_json(to_json(found)) == found, "the worker reads it as it was"
    started = workflow_id("w", "j", found.id, found.source)
    assert SAFE_ID.fullmatch(started)
    assert len(started) <= 1000
    if delivery.user_id:
        user = re.sub(r"[%@/:]", lambda sign: f"%{ord(sign[0]):02X}", delivery.user_id)
        assert found.source is not None
        assert found.source == user or found.source.startswith(f"{user}@")
    return found


texts = st.text(max_size=20) | st.sampled_from(
    ["", "1.0", "0.3", "a\x00b", "\u202e\u2066", "../..", "x" * 300, "é" * 130, "\ufeff", "/shop"]
)
short_texts = texts.filter(lambda text: len(text.encode()) <= 255)
times = (
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    | st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z", fullmatch=True
    )
    | st.from_regex(r"[09][09]{3}-(01-01|12-31)T(00|23):(00|59):60[+-](00|23):59", fullmatch=True)
)
stamps = st.datetimes(
    timezones=st.just(UTC)
    | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
header_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary() | times | stamps,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | times
    | st.sampled_from([2**63, -(2**63) - 1, float("nan"), float("-inf"), "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
json_objects = st.dictionaries(texts, json_values, max_size=4)
encodings = st.sampled_from(
    [None, "", "utf-8", "gzip", "deflate", "gzip:UTF-8", "utf-16", "br", "latin1", "gzip, gzip"]
) | texts.map(str)
media_types = st.sampled_from(
    [
        *("", "application/json", "text/plain", "application/cloudevents+json", "application/xml"),
        *("application/cloudevents-batch+json", "application/cloudevents"),
        *("application/vnd.masstransit+json", "application/vnd.masstransit+bson"),
    ]
)
content_types = (
    st.none()
    | texts
    | st.tuples(media_types, encodings | texts).map(lambda parts: f"{parts[0]}; charset={parts[1]}")
)


def written(value: Any, form: Callable[[bytes], bytes], codec: str) -> bytes:
    """Return ``value`` as JSON of Python's, which has NaN and any integer, in bytes."""
    text = json.dumps(value, ensure_ascii=codec == "ascii")
    return form(text.encode(codec, "surrogatepass"))


forms: st.SearchStrategy[Callable[[bytes], bytes]] = st.sampled_from(
    [bytes, gzip.compress, zlib.compress, base64.b64encode, lambda body: body[:-1]]
)
codecs = st.sampled_from(["utf-8", "ascii", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])


@st.composite
def cloud_events(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[dict[str, Any], Any]:
    """Draw the attributes, or nearly so, of a CloudEvent, and its data."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": draw(short_texts),
        "source": draw(short_texts),
        "type": "order.paid",
        "time": draw(times),
    }
    names = st.sampled_from(sorted(attributes)) | texts
    changed = draw(st.just({}) | st.dictionaries(names, values, max_size=2))
    missing = draw(st.just([]) | st.lists(names, max_size=1))
    return (
        {name: value for name, value in (attributes | changed).items() if name not in missing},
        draw(json_objects | json_values),
    )


@st.composite
def properties(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a publisher may set, well or not."""
    return {
        "routing_key": draw(short_texts),
        "message_id": draw(st.none() | short_texts),
        "timestamp": draw(st.none() | stamps | st.datetimes()),
        "user_id": draw(st.none() | short_texts),
        "content_type": draw(st.none() | content_types),
        "content_encoding": draw(st.none() | encodings),
        "headers": draw(st.dictionaries(texts, header_values, max_size=4)),
        "correlation_id": draw(st.none() | short_texts),
    }


@fuzzed
@given(st.binary(max_size=5000) | st.text().map(str.encode), properties())
def test_any_bytes_with_any_properties(body: bytes, given_properties: dict[str, Any]) -> None:
    """As they come from a client that is broken, or has something in mind."""
    checked(Delivery(body, **given_properties))


@fuzzed
@given(json_objects | json_values, forms, codecs, properties())
def test_any_json_in_any_form(
    value: Any, form: Callable[[bytes], bytes], codec: str, given_properties: dict[str, Any]
) -> None:
    """What is not refused is what was written."""
    body = written(value, form, codec)
    outcome = checked(Delivery(body, **{**given_properties, "headers": {}, "correlation_id": None}))

    envelope = str(given_properties["content_type"]).lower().strip().startswith("application/")
    told = f"{given_properties['content_type']} {given_properties['content_encoding']}"
    # In a charset of single bytes any bytes are a text, also those of another charset.
    if isinstance(outcome, Event) and not envelope and "latin1" not in told.lower():
        assert outcome.data == value


@fuzzed
@given(
    cloud_events(header_values),
    st.sampled_from(["ce-", "CE-", "cloudEvents_", "cloudEvents:"]),
    properties(),
)
def test_any_cloud_event_in_headers(
    event: tuple[dict[str, Any], Any], prefix: str, given_properties: dict[str, Any]
) -> None:
    """What is not refused has the id, and the data, that it had."""
    attributes, data = event
    headers = {f"{prefix}{name}": value for name, value in attributes.items()}
    outcome = checked(
        Delivery(
            written(data, bytes, "utf-8"),
            **{**given_properties, "content_encoding": None, "headers": headers},
        )
    )

    structured = "application/" in str(given_properties["content_type"]).lower()
    if (
        isinstance(outcome, Event)
        and not structured
        and {"id", "source", "type"} & attributes.keys()
    ):
        assert outcome.id == attributes["id"]
        assert outcome.source is not None
        assert outcome.source.endswith(attributes["source"])
        assert outcome.data == data


@fuzzed
@given(cloud_events(json_values), properties(), st.booleans(), st.integers(0, 3))
def test_any_cloud_event_in_a_body(
    event: tuple[dict[str, Any], Any],
    given_properties: dict[str, Any],
    as_base64: bool,  # noqa: FBT001 - Hypothesis draws it
    cut: int,
) -> None:
    """Structured, with the data as JSON or in base64, whole or cut short."""
    attributes, data = event
    member = {"data_base64": base64.b64encode(written(data, bytes, "utf-8")).decode()}
    members = {**attributes, **(member if as_base64 else {"data": data})}
    body = written(members, bytes, "utf-8")
    outcome = checked(
        Delivery(
            body[: len(body) - cut],
            **{
                **given_properties,
                "content_type": "application/cloudevents+json",
                "content_encoding": None,
            },
        )
    )

    if isinstance(outcome, Event):
        assert outcome.id == attributes["id"]
        assert outcome.data == data


@fuzzed
@given(
    st.lists(json_values, max_size=4)
    | st.tuples(st.lists(json_values, max_size=2), json_objects, st.none() | json_objects).map(
        list
    ),
    texts,
    properties(),
)
def test_any_celery_task(body: list[Any], task_id: str, given_properties: dict[str, Any]) -> None:
    """A list is taken for nothing else."""
    headers = {**given_properties["headers"], "task": "t", "id": task_id}
    changed: dict[str, Any] = {
        "content_type": None,
        "content_encoding": None,
        "headers": headers,
    }
    outcome = checked(Delivery(written(body, bytes, "utf-8"), **{**given_properties, **changed}))

    if isinstance(outcome, Event):
        args, kwargs, _ = body
        assert outcome.data == ({"args": args, "kwargs": kwargs} if args else kwargs)


@fuzzed
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "message": json_objects | json_values,
            "messageId": texts | json_values,
            "sentTime": times | json_values,
            "sourceAddress": texts | json_values,
        },
    ),
    properties(),
)
def test_any_masstransit_envelope(
    envelope: dict[str, Any], given_properties: dict[str, Any]
) -> None:
    """What is not refused has the message's data."""
    changed: dict[str, Any] = {
        "content_type": "application/vnd.masstransit+json",
        "content_encoding": None,
        "headers": {},
    }
    body = written(envelope, bytes, "ascii")
    outcome = checked(Delivery(body, **{**given_properties, **changed}))

    if isinstance(outcome, Event):
        assert outcome.data == envelope["message"]


@pytest.mark.parametrize(
    "unit",
    [
        *(b"[", b'{"a":', b'{"":[', b"[[],", b'"\\u0000', b"-", b"1e9", b"9", b"\\", b"\xf0\x9f"),
        *(b'{"a":1,', b" ", b'"', b"\x00", b"nul", b"[1,", b"\xef\xbb\xbf"),
    ],
)
@pytest.mark.parametrize("start", [b"", b'{"a":', b'{"a":"', b"["])
def test_a_repeated_piece_takes_no_time(start: bytes, unit: bytes) -> None:
    """Parsers that go wrong take a time that grows with the square of the length, or a stack."""
    body = start + unit * (262_144 // len(unit))
    began = time.process_time()

    outcome = decode(Delivery(body[:262_144], "k"))

    assert isinstance(outcome, Rejection)
    assert time.process_time() - began < MAX_SECONDS
