"""CloudEvents in all modes and bindings, as their SDK (`cloudevents` 2.2) and others write them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import amqp, rabbitmq
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
THEN = datetime(2018, 4, 5, 17, 31, tzinfo=UTC)


def decoded(body: bytes | str, **properties: Any) -> Event | Rejection:
    octets = body if isinstance(body, bytes) else body.encode()
    return decode(
        Delivery(octets, "order.paid", **properties), now=lambda: NOON, new_id=lambda: "new"
    )


def refused(body: bytes | str, **properties: Any) -> tuple[str, str]:
    rejection = decoded(body, **properties)
    assert isinstance(rejection, Rejection)
    return rejection.kind, rejection.message


def cloud_event(data: dict[str, Any] | bytes | None = None, **attributes: Any) -> CloudEvent:
    required = {"id": "A234", "source": "/shop", "type": "com.example.paid", "specversion": "1.0"}
    return CloudEvent({**required, "time": THEN, **attributes}, data)


ORDER = Event(id="A234", key="order.paid", time=THEN, source="/shop", data={"order": 7})


def test_cloud_events_in_all_modes_and_bindings_are_the_same_event() -> None:
    """With the prefixes of RabbitMQ's binding, of AMQP's, and structured."""
    event = cloud_event({"order": 7}, subject="7", traceparent="00-1", datacontenttype="text/json")
    binary = rabbitmq.to_binary_event(event)
    structured = rabbitmq.to_structured_event(event)
    of_amqp = amqp.to_binary_event(event)
    with_colons = {
        name.replace("cloudEvents_", "cloudEvents:"): value
        for name, value in of_amqp.application_properties.items()
    }

    assert decoded(binary.body, headers=binary.headers, content_type="application/json") == ORDER
    assert decoded(structured.body, content_type=structured.content_type) == ORDER
    assert decoded(of_amqp.application_data, headers=of_amqp.application_properties) == ORDER
    assert decoded(of_amqp.application_data, headers=with_colons) == ORDER


json_objects = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
    max_size=3,
)
texts = st.text(min_size=1, max_size=60)


@given(json_objects, texts, texts, st.datetimes(timezones=st.just(UTC)), st.booleans())
def test_what_the_sdk_writes_is_read(
    data: dict[str, Any],
    id: str,  # noqa: A002 - the attribute's name
    source: str,
    time: datetime,
    as_bytes: bool,  # noqa: FBT001 - Hypothesis draws it
) -> None:
    """Whatever the attributes and data are, in both modes."""
    event = cloud_event(
        json.dumps(data).encode() if as_bytes else data, id=id, source=source, time=time
    )
    binary, structured = rabbitmq.to_binary_event(event), rabbitmq.to_structured_event(event)

    for outcome in (
        decoded(binary.body, headers=binary.headers),
        decoded(structured.body, content_type=structured.content_type),
    ):
        assert isinstance(outcome, Event)
        assert (outcome.id, outcome.time, outcome.data) == (id, time, data)
        assert outcome.source in {source, f"@{source}"}


def test_attributes_go_before_properties() -> None:
    """The message's own may be those of a broker or a bridge on the way."""
    message = rabbitmq.to_binary_event(cloud_event({"order": 7}))

    event = decoded(
        message.body, headers=message.headers, message_id="m-1", timestamp=NOON, user_id="shop"
    )

    assert event == ORDER.model_copy(update={"source": "shop@/shop"})


HEADERS = {"ce-specversion": "1.0", "ce-id": "A234", "ce-source": "/shop", "ce-type": "paid"}


def test_a_time_may_be_missing_or_of_amqps_own_types() -> None:
    """RabbitMQ turns AMQP 1.0's timestamps into 0-9-1's; the SDK writes milliseconds."""
    assert decoded(b'{"order": 7}', headers=HEADERS) == ORDER.model_copy(update={"time": NOON})
    for time in (THEN, 1_522_949_460_000, "2018-04-05T19:31:00+02:00"):
        assert decoded(b'{"order": 7}', headers={**HEADERS, "ce-time": time}) == ORDER


@pytest.mark.parametrize("content_type", [None, "application/json", "application/xml"])
def test_an_event_without_data_has_none(content_type: str | None) -> None:
    """Data are optional (CloudEvents, section 3)."""
    empty = ORDER.model_copy(update={"data": {}, "time": NOON})
    members = {name.removeprefix("ce-"): value for name, value in HEADERS.items()}

    assert decoded(b"", headers=HEADERS, content_type=content_type) == empty
    assert decoded(json.dumps(members), content_type="application/cloudevents+json") == empty


@pytest.mark.parametrize("name", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
@pytest.mark.parametrize("value", [None, "", 7, b"\xff", ["x"], {"x": 1}])
def test_an_attribute_that_must_be_there_is_a_text(name: str, value: Any) -> None:
    """An id that somebody made up would start a job with every redelivery."""
    kind, message = refused(b"{}", headers={**HEADERS, name: value})
    without = {header: text for header, text in HEADERS.items() if header != name}

    attribute = name.removeprefix("ce-")
    assert kind == "undecodable"
    assert message.startswith(f"CloudEvents attribute {attribute!r} is ")
    assert refused(b"{}", headers=without) == (
        "undecodable",
        f"CloudEvents attribute {attribute!r} is missing",
    )


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"ce-time": "yesterday"}, "CloudEvents attribute 'time' 'yesterday' is no time of RFC"),
        ({"ce-time": 1.5}, "CloudEvents attribute 'time' 1.5 is no time of RFC"),
        ({"CE-ID": "B"}, "CloudEvents attribute 'id' has two values"),
        ({"cloudEvents:source": "/x"}, "CloudEvents attribute 'source' has two values"),
    ],
)
def test_what_is_no_cloud_event_is_refused(headers: dict[str, Any], reason: str) -> None:
    """It says that it is one, and cannot be trusted with an identity."""
    kind, message = refused(b"{}", headers={**HEADERS, **headers})

    assert kind == "undecodable"
    assert message.startswith(reason)


def test_the_same_attribute_may_come_twice() -> None:
    """As bridges do that serve old and new consumers."""
    again = {name.replace("ce-", "cloudEvents_"): value for name, value in HEADERS.items()}

    assert isinstance(decoded(b"{}", headers={**HEADERS, **again, "CE-Type": "paid"}), Event)


@pytest.mark.parametrize(
    "headers",
    [
        {"ce-subject": "x"},
        {"ce-subject": "x", "CE-Subject": "y"},
        {"cloudEvents": "x"},
        {"ce-": "x"},
        {"cell-id": "x"},
    ],
)
def test_another_header_makes_no_cloud_event(headers: dict[str, Any]) -> None:
    """Only those that each CloudEvent has."""
    event = decoded(b"{}", headers=headers, message_id="m-1")

    assert isinstance(event, Event)
    assert (event.id, event.source) == ("m-1", None)


def test_a_plain_body_that_looks_like_a_cloud_event_is_left_alone() -> None:
    """Where the content type does not say so, it is the publisher's own data."""
    body = rabbitmq.to_structured_event(cloud_event({"order": 7})).body
    event = decoded(body, content_type="application/json")

    assert isinstance(event, Event)
    assert event.id == "new"
    assert event.data["data"] == {"order": 7}


def structured(**members: Any) -> str:
    attributes = {name.removeprefix("ce-"): value for name, value in HEADERS.items()}
    return json.dumps({**attributes, **members})


STRUCTURED = "application/cloudevents+json; charset=UTF-8"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "the body is a JSON array, expected a JSON object"),
        ('{"id": 1, "id": 1}', "the body is not JSON: field 'id' stands twice in one object"),
        ("{}", "CloudEvents attribute 'specversion' is missing"),
        (structured(id=None), "CloudEvents attribute 'id' is missing"),
        (structured(source=7), "CloudEvents attribute 'source' is 7, expected a text"),
        (structured(data=None), "the CloudEvent's data is null, expected a JSON object"),
        (structured(data="x"), "the CloudEvent's data is a JSON string, expected a JSON object"),
        (
            structured(data="<a/>", datacontenttype="application/xml"),
            "the CloudEvent's data ('application/xml') is a JSON string, expected a JSON object",
        ),
        (structured(data={}, data_base64="e30="), "the CloudEvent has both data and data_base64"),
        (structured(data_base64=7), "the CloudEvent's data_base64 is 7, expected a text"),
        (structured(data_base64="e30"), "the CloudEvent's data_base64 is not base64"),
        (structured(data_base64="e3 0="), "the CloudEvent's data_base64 is not base64"),
        (structured(data_base64="é30="), "the CloudEvent's data_base64 is not base64"),
        (structured(data_base64="W10="), "the CloudEvent's data_base64 is a JSON array, expected"),
        (structured(data_base64=""), "the CloudEvent's data_base64 is not JSON: it is empty"),
        (structured(data_base64="/w=="), "the CloudEvent's data_base64 is not JSON: byte 0xff"),
    ],
)
def test_a_structured_cloud_event_is_as_strict(body: str, reason: str) -> None:
    """Of its data nothing is skipped or guessed."""
    kind, message = refused(body, content_type=STRUCTURED)

    assert kind == "undecodable"
    assert message.startswith(reason)


def test_attributes_that_are_null_are_not_set() -> None:
    """JSON format, section 2.2."""
    body = structured(time=None, subject=None, data_base64=None, data={"order": 7})

    assert decoded(body, content_type=STRUCTURED) == ORDER.model_copy(update={"time": NOON})


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_binary_data_are_json_in_their_charset(codec: str) -> None:
    """JSON format, section 3.1.1."""
    encoded = base64.b64encode('{"order": 7}'.encode(codec)).decode()
    body = structured(data_base64=encoded, datacontenttype=f"text/json; charset={codec}")

    assert decoded(body, content_type=STRUCTURED) == ORDER.model_copy(update={"time": NOON})


@pytest.mark.parametrize("version", ["0.3", "2.0", "1", "x" * 300])
def test_another_version_of_cloud_events_is_refused(version: str) -> None:
    """By name."""
    kind, message = refused(b"{}", headers={**HEADERS, "ce-specversion": version})

    assert kind == "unsupported-encoding"
    assert message.startswith(f"version '{version[:3]}")
    assert message.endswith("of CloudEvents is not supported, expected '1.0'")


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        (
            "application/cloudevents-batch+json",
            "a batch of CloudEvents is not supported; publish each as a message of its own",
        ),
        (
            "application/cloudevents+avro",
            "content type 'application/cloudevents+avro' is not supported",
        ),
        ("application/cloudevents", "content type 'application/cloudevents' is not supported"),
        (
            "application/vnd.masstransit+aes",
            "content type 'application/vnd.masstransit+aes' is not supported",
        ),
    ],
)
def test_other_formats_are_refused_by_name(content_type: str, reason: str) -> None:
    """Though the body may well be JSON."""
    assert refused("[]", content_type=content_type) == ("unsupported-encoding", reason)


def test_an_id_is_at_most_as_long_as_a_message_id() -> None:
    """Or no dead letter could bear it."""
    longest = "é" * 127 + "x"
    assert isinstance(decoded(b"{}", headers={**HEADERS, "ce-id": longest}), Event)

    assert refused(b"{}", headers={**HEADERS, "ce-id": longest + "x"}) == (
        "too-large",
        "the event's id has 256 bytes, at most 255 are accepted",
    )


@pytest.mark.parametrize("name", ["ce-id", "cloudEvents:id", "cloudEvents_id"])
def test_a_rejection_names_the_event_by_its_own_id(name: str) -> None:
    """Where it can be told without understanding the message."""
    for value, expected in (("A234", "A234"), (7, "m-1"), ("", "m-1"), ("x" * 256, "m-1")):
        rejection = decoded(b"", headers={name: value}, message_id="m-1")
        assert isinstance(rejection, Rejection)
        assert rejection.event_id == expected
