"""Messages of frameworks: an envelope is opened, its id, time and source are the event's.

Celery's messages are what Celery 5.7 sends, MassTransit's those of version 8.
"""

import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
THEN = datetime(2018, 4, 5, 17, 31, tzinfo=UTC)
TASK_ID = "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de"


def decoded(body: bytes | str, **properties: Any) -> Event | Rejection:
    octets = body if isinstance(body, bytes) else body.encode()
    return decode(
        Delivery(octets, "order.paid", **properties), now=lambda: NOON, new_id=lambda: "new"
    )


def refused(body: bytes | str, **properties: Any) -> tuple[str, str]:
    rejection = decoded(body, **properties)
    assert isinstance(rejection, Rejection)
    return rejection.kind, rejection.message


CELERY_HEADERS = json.loads("""{
    "lang": "py", "task": "shop.order_paid", "id": "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de",
    "shadow": null, "eta": null, "expires": null, "group": null, "group_index": null, "retries": 0,
    "timelimit": [null, null], "root_id": "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de", "parent_id": null,
    "argsrepr": "()", "kwargsrepr": "{'order': 7}", "origin": "gen4470@vm", "ignore_result": null,
    "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}
}""")
CELERY_1 = json.loads("""{
    "task": "shop.order_paid", "id": "4f6c2f0e-2f5b-4a7e-9f0e-0a51f7a6c0de", "args": [],
    "kwargs": {"order": 7}, "group": null, "group_index": null, "retries": 0, "eta": null,
    "expires": null, "utc": true, "callbacks": null, "errbacks": null, "timelimit": [null, null],
    "taskset": null, "chord": null
}""")
CELERY = {
    "content_type": "application/json",
    "content_encoding": "utf-8",
    "correlation_id": TASK_ID,
}
EMBED = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}'
TASK = Event(id=TASK_ID, key="order.paid", time=NOON, source=None, data={"order": 7})


@pytest.mark.parametrize("embed", [EMBED, "null"])
def test_a_celery_task_is_an_event(embed: str) -> None:
    """Its keyword arguments are the data; with others there, both are, by their names."""
    with_arguments = TASK.model_copy(update={"data": {"args": [7, "x"], "kwargs": {"a": 1}}})
    headers = CELERY_HEADERS

    assert decoded(f'[[], {{"order": 7}}, {embed}]', headers=headers, **CELERY) == TASK
    assert decoded(f'[[7, "x"], {{"a": 1}}, {embed}]', headers=headers, **CELERY) == with_arguments
    body = zlib.compress(f'[[], {{"order": 7}}, {embed}]'.encode())
    headers = {**CELERY_HEADERS, "compression": "application/x-gzip"}
    assert decoded(body, headers=headers, **CELERY, message_id="m-1") == TASK


def test_a_celery_task_of_protocol_1_is_one_too() -> None:
    """All is in the body there (`task_protocol = 1`, and Celery before 4)."""
    body = CELERY_1

    assert decoded(json.dumps(body), **CELERY) == TASK
    for own in (
        {**body, "id": "another"},
        {**body, "mine": 1},
        {**body, "args": "x"},
        {**body, "kwargs": []},
        {name: value for name, value in body.items() if name != "utc"},
    ):
        event = decoded(json.dumps(own), **CELERY)
        assert isinstance(event, Event)
        assert event.data == own
        assert event.id == "new"
    without_correlation = decoded(json.dumps(body))
    assert isinstance(without_correlation, Event)
    assert without_correlation.data == body


@pytest.mark.parametrize(
    "body",
    ["[]", "[[], {}]", "[{}, {}, {}]", "[[], [], {}]", "[[], {}, []]", "[[], {}, {}, {}]", "[1]"],
)
def test_another_list_is_no_celery_task(body: str) -> None:
    """The reason says what is missing."""
    assert refused(body, headers=CELERY_HEADERS) == (
        "undecodable",
        "the body of Celery task 'shop.order_paid' is another list than [args, kwargs, embed]",
    )
    rejection = decoded(body, headers=CELERY_HEADERS)
    assert isinstance(rejection, Rejection)
    assert rejection.event_id == TASK_ID


def test_an_object_with_celerys_headers_is_the_publishers_own() -> None:
    """``task`` and ``id`` are words that others use too."""
    event = decoded('{"order": 7}', headers={"task": "x", "id": "y"}, message_id="m-1")

    assert event == TASK.model_copy(update={"id": "m-1"})
    assert refused("[]", headers={"task": "x", "id": 7})[1].startswith("the body is a JSON array")


MASSTRANSIT = {
    "messageId": "181c0000-6393-3630-36a4-08daf4e7c6da",
    "requestId": None,
    "correlationId": None,
    "conversationId": "181c0000-6393-3630-69d5-08daf4e7c6db",
    "sourceAddress": "rabbitmq://localhost/SHOP_bus_1yyyyyfdx?temporary=true",
    "destinationAddress": "rabbitmq://localhost/Shop.Contracts:OrderPaid",
    "messageType": ["urn:message:Shop.Contracts:OrderPaid"],
    "message": {"order": 7},
    "expirationTime": None,
    "sentTime": "2018-04-05T17:31:00.0000000Z",
    "headers": {},
    "host": {"machineName": "SHOP", "processName": "Shop", "processId": 9427},
}


def masstransit(**members: Any) -> str:
    envelope = {**MASSTRANSIT, **members}
    return json.dumps({name: value for name, value in envelope.items() if value is not ...})


def test_a_masstransit_envelope_is_opened() -> None:
    """The data stand under ``message``."""
    expected = Event(
        id="181c0000-6393-3630-36a4-08daf4e7c6da",
        key="order.paid",
        time=THEN,
        source="rabbitmq://localhost/SHOP_bus_1yyyyyfdx?temporary=true",
        data={"order": 7},
    )

    assert decoded(masstransit(), content_type="application/vnd.masstransit+json") == expected
    sparse = masstransit(messageId=..., sentTime=None, sourceAddress=...)
    event = decoded(
        sparse, content_type="application/vnd.masstransit+json", message_id="m-1", user_id="shop"
    )
    assert event == Event(id="m-1", key="order.paid", time=NOON, source="shop", data={"order": 7})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "the body is a JSON array, expected a JSON object"),
        (masstransit(message=...), "the MassTransit envelope has no message"),
        (
            masstransit(message=[1]),
            "the MassTransit envelope's message is a JSON array, expected a JSON object",
        ),
        (
            masstransit(messageId=7),
            "the MassTransit envelope's messageId is 7, expected a text",
        ),
        (
            masstransit(sourceAddress=["x"]),
            "the MassTransit envelope's sourceAddress is ['x'], expected a text",
        ),
        (
            masstransit(sentTime="x"),
            "the MassTransit envelope's sentTime 'x' is no time of RFC 3339 in the years 1 to 9999",
        ),
    ],
)
def test_what_is_no_masstransit_envelope_is_refused(body: str, reason: str) -> None:
    """It says that it is one."""
    content_type = "application/vnd.masstransit+json; charset=utf-8"

    assert refused(body, content_type=content_type) == ("undecodable", reason)
