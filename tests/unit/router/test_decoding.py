"""A body and its properties become an event, or the reason why they do not."""

import json
import math
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, MAX_DEPTH, decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event
from hatchet_schemas.names import workflow_id

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def decoded(body: bytes, **properties: Any) -> Event | Rejection:
    return decode(
        Delivery(body, "user:create", **properties), now=lambda: NOON, new_id=lambda: "new"
    )


def nested(depth: int) -> bytes:
    """Return an object with lists inside, ``depth`` deep in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"{}", {}),
        (b' \r\n{"a" : 1}\t', {"a": 1}),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        ('{"name": "Åda 🚀"}'.encode(), {"name": "Åda 🚀"}),
        (b'{"pair": "\\ud83d\\ude80"}', {"pair": "🚀"}),
        (b'{"zero": "\\u0000"}', {"zero": "\0"}),
        (b'{"": ""}', {"": ""}),
        (b'{"n": -9223372036854775808}', {"n": -(2**63)}),
        (b'{"n": 9223372036854775807}', {"n": 2**63 - 1}),
        (b'{"n": 1e308}', {"n": 1e308}),
        (b'{"n": 1e-999}', {"n": 0.0}),
        (b'{"n": 1.0}', {"n": 1.0}),
        (b'{"n": [true, false, null]}', {"n": [True, False, None]}),
        (b'\xef\xbb\xbf{"a": "\xef\xbb\xbf"}', {"a": "\ufeff"}),
    ],
)
def test_a_json_object_is_an_event(body: bytes, data: dict[str, Any]) -> None:
    """The data are the object, with the types that JSON gave them."""
    event = decoded(body)

    assert isinstance(event, Event)
    assert event.data == data
    assert json.dumps(event.data) == json.dumps(data)  # 1 is not 1.0, nor True


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON: it is empty"),
        (b" \n", "the body is not JSON: it is empty"),
        (b"\xef\xbb\xbf", "the body is not JSON: it is empty"),
        (b"[]", "the body is a JSON array, expected a JSON object"),
        (b'"text"', "the body is a JSON string, expected a JSON object"),
        (b"null", "the body is null, expected a JSON object"),
        (b"true", "the body is true or false, expected a JSON object"),
        (b"12", "the body is a number, expected a JSON object"),
        (b"1.5", "the body is a number, expected a JSON object"),
        (b'{"a": NaN}', "the body is not JSON: NaN is not JSON"),
        (b'{"a": Infinity}', "the body is not JSON: Infinity is not JSON"),
        (b'{"a": -Infinity}', "the body is not JSON: -Infinity is not JSON"),
        (b'{"a": 1e999}', "the body is not JSON: a number is too large"),
        (b'{"a": -1e999}', "the body is not JSON: a number is too large"),
        (b'{"a": 9223372036854775808}', "the body is not JSON: an integer does not fit 64 bits"),
        (b'{"a": -9223372036854775809}', "the body is not JSON: an integer does not fit 64 bits"),
        (
            b'{"a": ' + b"9" * 5000 + b"}",
            "the body is not JSON: an integer does not fit 64 bits",
        ),
        (
            b'{"a": 1, "b": 2, "a": 1}',
            "the body is not JSON: field 'a' stands twice in one object",
        ),
        (
            b'{"a": {"x": 1, "\\u0078": 2}}',
            "the body is not JSON: field 'x' stands twice in one object",
        ),
        (b'{"a": "\\ud800"}', "the body is not JSON: a \\u escape is half of a surrogate pair"),
        (b'{"\\udfff": 1}', "the body is not JSON: a \\u escape is half of a surrogate pair"),
        (
            b'{"\\ud800": 1, "\\ud800": 2}',
            "the body is not JSON: field '\\ud800' stands twice in one object",
        ),
        (b'{"a": "\xff"}', "the body is not JSON: byte 0xff at 7 is not UTF-8"),
        (b"\xed\xa0\x80", "the body is not JSON: byte 0xed at 0 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "the body is not JSON: byte 0xff at 0 is not UTF-8"),
        (b'{"a": 1} x', "the body is not JSON: Extra data: line 1 column 10 (char 9)"),
        (
            b"user=ada",
            "the body is not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
    ],
)
def test_anything_else_is_rejected_with_a_reason(body: bytes, reason: str) -> None:
    """The reason goes to the dead letters, where somebody has to understand it."""
    assert decoded(body) == Rejection("undecodable", reason, "new")


@pytest.mark.parametrize("depth", [2, MAX_DEPTH - 1, MAX_DEPTH])
def test_data_may_be_nested_deep(depth: int) -> None:
    """Up to the limit, the object itself counted."""
    assert isinstance(decoded(nested(depth)), Event)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_data_may_not_be_nested_deeper(depth: int) -> None:
    """Neither a little too deep nor deeper than Python's stack."""
    assert decoded(nested(depth)) == Rejection(
        "undecodable", "the body is not JSON: nested more than 64 deep", "new"
    )


def test_many_flat_lists_are_not_deep() -> None:
    """What is limited is depth, not the number of brackets."""
    assert isinstance(decoded(json.dumps({"a": [[]] * 1000}).encode()), Event)


def test_the_largest_body_is_accepted_and_a_byte_more_is_not() -> None:
    """The size is checked before anything is parsed."""
    largest = b"{}".ljust(DEFAULT_MAX_BODY_BYTES)

    assert isinstance(decoded(largest), Event)
    assert decoded(largest + b"{") == Rejection(
        "too-large", "the body has 262,145 bytes, at most 262,144 are accepted", "new"
    )
    small = decode(Delivery(b'{"a": 1}', "k", message_id="m"), max_body_bytes=7)
    assert small == Rejection("too-large", "the body has 8 bytes, at most 7 are accepted", "m")


def test_a_late_duplicate_among_many_fields_is_found_quickly() -> None:
    """Looking for it must not stop the event loop, whose heartbeats keep the connection."""
    fields = b"".join(b'"%x":0,' % number for number in range(25_000))
    began = time.process_time()

    rejection = decoded(b"{" + fields + b'"last":1,"last":2}')

    assert isinstance(rejection, Rejection)
    assert "'last' stands twice" in rejection.message
    assert time.process_time() - began < 2  # comparing all with all takes ten


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/octet-stream"])
def test_the_content_type_does_not_matter(content_type: str | None) -> None:
    """Many clients set none, or a default that says nothing."""
    assert isinstance(decoded(b"{}", content_type=content_type), Event)


def test_the_content_type_is_told_where_it_may_be_the_reason() -> None:
    """Pickles, as Celery sends them where it is told to, are not JSON that went wrong."""
    rejection = decoded(b"\x80\x04}.", content_type="application/x-python-serialize")

    assert rejection == Rejection(
        "undecodable",
        "the body, of type 'application/x-python-serialize', is not JSON: "
        "byte 0x80 at 0 is not UTF-8",
        "new",
    )


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        (datetime(2026, 1, 2, 3), datetime(2026, 1, 2, 3, tzinfo=UTC)),  # noqa: DTZ001 - the case
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
        (
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 1, 2, 1, tzinfo=UTC),
        ),
    ],
)
def test_any_timestamp_is_a_time_in_utc(timestamp: datetime, time: datetime) -> None:
    """Nothing is known of the publisher's clock, so a time far off is as good as another."""
    event = decoded(b"{}", timestamp=timestamp)

    assert isinstance(event, Event)
    assert event.time == time
    assert event.time.utcoffset() == timedelta(0)


def test_a_time_that_is_before_the_first_year_in_utc_is_refused() -> None:
    """The worker could not read it."""
    timestamp = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    rejection = decoded(b"{}", timestamp=timestamp)

    assert rejection == Rejection(
        "undecodable",
        "timestamp '0001-01-01T00:00:00+14:00' is no time of RFC 3339 in the years 1 to 9999",
        "new",
    )


NASTY = "\x00\x1b[2J\r\n\u202e../..\u2028é%2F~" + "x" * 200


def test_nothing_unescaped_gets_from_a_message_into_a_workflow_id() -> None:
    """Temporal itself would take newlines, NUL and any length; those of a log and a path do not."""
    event = decoded(b"{}", message_id=NASTY, user_id=NASTY)

    assert isinstance(event, Event)
    assert event.id == NASTY
    started = workflow_id("Any workflow", "job", event.id, event.source)
    assert re.fullmatch(r"[A-Za-z0-9 ._:/@~%-]+", started)
    assert len(started) < 1000


@pytest.mark.parametrize("text", [NASTY, "\U00101111" * 63, "\0" * 255])
def test_a_reason_is_short_and_printable_whatever_was_sent(text: str) -> None:
    """It goes into logs, terminals and headers."""
    declared = {"ce-id": "1", "ce-source": "/", "ce-type": "t", "ce-specversion": "1.0"}
    for properties in (
        {"content_type": text},
        {"content_encoding": text},
        {"content_type": f"application/json;charset={text}"},
        {"content_type": f"application/cloudevents{text}"},
        {"content_type": f"text/json;charset=utf8;{text}", "content_encoding": "latin1"},
        {"headers": {**declared, "ce-specversion": text}},
        {"headers": {**declared, "ce-time": text}},
        {"headers": {**declared, "ce-id": [text] * 20}},
        {"headers": {f"ce-{text}": 1, f"CE-{text}": 2}},
    ):
        rejection = decoded(b'{"a": "' + text.encode() + b'"', **properties)
        assert isinstance(rejection, Rejection)
        assert rejection.message.isprintable()
        assert len(rejection.message) < 500


def test_a_message_without_properties_gets_an_id_and_a_time() -> None:
    """A client that knows nothing of us publishes a body and a key."""
    assert decoded(b'{"a": 1}') == Event(
        id="new", key="user:create", time=NOON, source=None, data={"a": 1}
    )


def test_properties_are_taken_over() -> None:
    """Id, time and the user that the broker has verified."""
    timestamp = datetime(2020, 2, 3, tzinfo=UTC)
    event = decoded(b"{}", message_id="order-7", timestamp=timestamp, user_id="shop")

    assert event == Event(id="order-7", key="user:create", time=timestamp, source="shop", data={})


def test_a_rejection_names_the_event() -> None:
    """So that the dead letter can be found by the id that its publisher knows."""
    rejection = decoded(b"", message_id="order-7")

    assert isinstance(rejection, Rejection)
    assert rejection.event_id == "order-7"


def test_every_message_without_an_id_gets_one_of_its_own() -> None:
    """Two events without ids are two events."""
    first, second = (decode(Delivery(b"{}", "k")) for _ in range(2))

    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert first.id
    assert first.id != second.id


def test_an_empty_message_id_is_none() -> None:
    """Otherwise all such messages were one event."""
    event = decoded(b"{}", message_id="")

    assert isinstance(event, Event)
    assert event.id == "new"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
fragments = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"-", b" ", b"\\u", b"d800", b"1e9", b"9" * 30),
        *(b"NaN", b"null", b'"a":', b"\xff", b"\xef\xbb\xbf"),
    ]
)


@given(st.binary() | st.lists(fragments).map(b"".join))
def test_whatever_comes_is_an_event_or_a_rejection(body: bytes) -> None:
    """The decoder raises nothing, and what it accepts is what the standard library reads."""
    outcome = decoded(body)

    if isinstance(outcome, Event):
        assert outcome.data == json.loads(body.decode().removeprefix("\ufeff"))
    else:
        assert outcome.kind == "undecodable"
        assert outcome.message.isprintable()


@given(st.dictionaries(st.text(), json_values, max_size=5), st.booleans())
def test_every_json_object_comes_through_unchanged(data: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
    """With escapes or without."""
    event = decoded(json.dumps(data, ensure_ascii=ascii_only).encode())

    assert isinstance(event, Event)
    assert event.data == data


@given(st.floats())
def test_numbers_that_json_does_not_have_are_refused(number: float) -> None:
    """Python writes NaN and Infinity, and no other language could read them."""
    outcome = decoded(json.dumps({"n": number}).encode())

    assert isinstance(outcome, Event) is math.isfinite(number)
