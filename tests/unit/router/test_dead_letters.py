"""Dead letters: what they say, whom they believe, and the event that comes of them again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aio_pika
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatchet_router.dead_letters import (
    can_be_sent,
    dead_letter,
    passed_on,
    returned_before,
    source_of,
    times_passed,
)
from hatchet_router.deliveries import Rejection
from hatchet_router.letters import DeadLetter, read_letter, replayed
from hatchet_router.message_headers import MAX_HEADERS, check_headers
from hatchet_router.undecodable import MAX_PROPERTIES_BYTES, UnreadableProperties

QUEUE = "hatchet.router"
REJECTION = Rejection("condition-failed", "no field 'amount'", "e-1", ("Billing", "Sign up"))
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def delivered(message: aio_pika.Message, exchange: str, key: str = "order.paid") -> Any:
    """Return ``message`` as it is delivered."""
    names = (
        "body headers content_type content_encoding delivery_mode priority correlation_id reply_to "
        "expiration message_id timestamp type user_id app_id"
    )
    values = {name: getattr(message, name) for name in names.split()}
    return SimpleNamespace(**values, exchange=exchange, routing_key=key)


def event(exchange: str = "hatchet.events", **properties: Any) -> Any:
    """Return an event as it is delivered to the router."""
    message = aio_pika.Message(b'{"amount": 1}', **{"message_id": "e-1", **properties})
    return delivered(message, exchange)


def letter_of(message: Any, rejection: Rejection = REJECTION, at: datetime = MONDAY) -> DeadLetter:
    """Return what is read of the letter that ``message`` becomes."""
    letter = dead_letter(message, rejection, queue=QUEUE, now=lambda: at)
    return read_letter(delivered(letter, "hatchet.dead-letters"), QUEUE)


def again(letter: DeadLetter, at: datetime = TUESDAY) -> Any:
    """Return the event as it comes to the router when ``letter`` is replayed."""
    message = replayed(letter, operator="ada@laptop", new_id="new", now=at)
    return delivered(message, "hatchet.router.replay", letter.key)


def killed(headers: dict[str, Any] | None = None, **properties: Any) -> Any:
    """Return an event that RabbitMQ itself has dead-lettered, as it does after many deliveries."""
    death = {
        "count": 1,
        "reason": "delivery_limit",
        "queue": QUEUE,
        "time": MONDAY,
        "exchange": "hatchet.events",
        "routing-keys": ["order.paid"],
    }
    broker: dict[str, Any] = {
        "x-death": [death],
        "x-first-death-exchange": "hatchet.events",
        "x-first-death-queue": QUEUE,
        "x-first-death-reason": "delivery_limit",
        "x-delivery-count": 3,
    }
    return event("hatchet.dead-letters", headers={**broker, **(headers or {})}, **properties)


def test_a_letter_says_why_and_where_and_since_when() -> None:
    """All that an operator asks."""
    letter = letter_of(event(headers={"tenant": "x"}, user_id="shop", priority=3))

    assert letter.key == "order.paid"
    assert letter.event_id == "e-1"
    assert (letter.kind, letter.message) == ("condition-failed", "no field 'amount'")
    assert letter.workflows == ("Billing", "Sign up")
    assert (letter.source, letter.exchange, letter.queue) == ("shop", "hatchet.events", QUEUE)
    assert letter.time == letter.first_time == MONDAY
    assert letter.attempts == 1
    assert letter.version
    assert letter.replayed_by is None
    assert letter.body == b'{"amount": 1}'
    assert letter.headers["tenant"] == "x"
    assert letter.properties["priority"] == 3


def test_an_event_without_an_id_gets_that_of_its_rejection() -> None:
    """So that a replay starts nothing a second time."""
    letter = letter_of(event(message_id=None), Rejection("k", "m", "made-up"))

    assert letter.event_id == letter.properties["message_id"] == "made-up"


def test_what_a_publisher_says_in_our_headers_is_not_believed() -> None:
    """It could claim another's events, or a history."""
    forged = {
        "hatchet-reason": "none",
        "hatchet-user-id": "bank",
        "hatchet-attempts": 99,
        "hatchet-first-time": "2020-01-01T00:00:00Z",
        "hatchet-replayed-by": "root@prod",
        "hatchet-properties": b"x",
        "x-delivery-count": 7,
    }
    message = event(headers=forged, user_id="shop")
    letter = letter_of(message)

    assert (letter.kind, letter.source, letter.attempts) == ("condition-failed", "shop", 1)
    assert letter.first_time == MONDAY
    assert letter.replayed_by is None
    assert "hatchet-properties" not in letter.headers
    assert "x-delivery-count" not in letter.headers
    assert source_of(message, QUEUE) == "shop"
    assert source_of(event(headers=forged), QUEUE) is None


@pytest.mark.parametrize("delivered_event", [event, killed])
def test_an_event_with_as_many_headers_as_may_be_can_be_replayed(
    delivered_event: Callable[..., Any],
) -> None:
    """However often: what we and RabbitMQ add takes no room."""
    message = delivered_event(headers={f"h{number}": number for number in range(MAX_HEADERS)})
    for _ in range(2):
        message = again(letter_of(message))
        check_headers(message.headers)

    assert len(message.headers) > MAX_HEADERS


def test_a_replayed_event_is_as_it_was() -> None:
    """Its key, body, properties and id; of the reason nothing."""
    properties: dict[str, Any] = {
        "content_type": "application/json",
        "priority": 3,
        "correlation_id": "c",
        "reply_to": "r",
        "timestamp": MONDAY,
        "type": "t",
        "app_id": "a",
    }
    back = again(letter_of(event(headers={"tenant": "x"}, user_id="shop", **properties)))

    assert (back.body, back.message_id) == (b'{"amount": 1}', "e-1")
    assert {name: getattr(back, name) for name in properties} == properties
    assert back.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert back.user_id is None  # RabbitMQ would refuse another's
    assert source_of(back, QUEUE) == "shop"
    assert back.headers == {
        "tenant": "x",
        "hatchet-attempts": 1,
        "hatchet-exchange": "hatchet.events",
        "hatchet-first-time": "2026-03-02T12:00:00.000+00:00",
        "hatchet-replayed-by": "ada@laptop",
        "hatchet-replayed-time": "2026-03-03T12:00:00.000+00:00",
        "hatchet-user-id": "shop",
    }


def test_a_letter_that_fails_again_keeps_its_history() -> None:
    """The first time stays, attempts grow, and who replayed it is known."""
    first = letter_of(event(user_id="shop"))
    second = letter_of(again(first), at=TUESDAY)
    third = letter_of(again(second), at=TUESDAY)

    assert [letter.attempts for letter in (first, second, third)] == [1, 2, 3]
    assert third.first_time == MONDAY
    assert third.time == TUESDAY
    assert (third.source, third.exchange) == ("shop", "hatchet.events")
    assert (third.replayed_by, third.replayed_time) == ("ada@laptop", TUESDAY)


def test_a_replay_for_another_queue_has_no_history_here() -> None:
    """Whoever may write to that one's exchange is no operator of ours."""
    back = again(letter_of(event(user_id="shop")))
    back.exchange = "somebody.replay"

    assert source_of(back, QUEUE) is None
    assert letter_of(back).attempts == 1


def test_what_rabbitmq_dead_lettered_has_a_reason_too() -> None:
    """It says so in headers of its own."""
    letter = read_letter(killed(user_id="shop"), QUEUE)

    assert letter.kind == "delivery-limit"
    assert "more often than its queue allows" in letter.message
    assert (letter.source, letter.exchange, letter.queue) == ("shop", "hatchet.events", QUEUE)
    assert letter.time == letter.first_time == MONDAY
    assert letter.attempts == 1
    assert letter.workflows == ()


def test_a_replay_undoes_the_death_and_nothing_else() -> None:
    """RabbitMQ's record of it goes; one of another queue stays."""
    other = {"queue": "their.retries", "reason": "expired", "time": MONDAY}
    message = killed(user_id="shop", message_id=None)
    message.headers["x-death"].append(other)
    back = again(read_letter(message, QUEUE))
    alone = again(read_letter(killed(), QUEUE))

    assert back.headers["x-death"] == [other]
    assert back.message_id == "new"
    assert source_of(back, QUEUE) == "shop"
    assert not [name for name in alone.headers if name.startswith("x-")]


def test_a_replayed_event_that_rabbitmq_dead_letters_keeps_its_history() -> None:
    """It came by our exchange, as RabbitMQ says."""
    back = again(letter_of(event(user_id="shop")))
    message = killed(headers=back.headers)
    message.headers["x-death"][0]["exchange"] = "hatchet.router.replay"
    letter = read_letter(message, QUEUE)

    assert (letter.kind, letter.attempts, letter.source) == ("delivery-limit", 2, "shop")
    assert (letter.exchange, letter.replayed_by) == ("hatchet.events", "ada@laptop")


def test_a_publisher_cannot_forge_the_reason_of_what_rabbitmq_dead_letters() -> None:
    """Though nobody could take its headers out."""
    forged = {"hatchet-reason": "router-error", "hatchet-user-id": "bank", "hatchet-attempts": 9}
    letter = read_letter(killed(headers=forged), QUEUE)

    assert (letter.kind, letter.source, letter.attempts) == ("delivery-limit", None, 1)


def test_a_death_in_our_queue_that_a_publisher_claims_hides_no_reason() -> None:
    """RabbitMQ 3 lets publishers set this header."""
    message = event(headers={"x-death": [{"queue": QUEUE, "reason": "delivery_limit"}]})

    assert letter_of(message).kind == "condition-failed"


def test_a_message_that_says_nothing_is_a_letter_all_the_same() -> None:
    """Somebody may have put it there by hand."""
    letter = read_letter(event("", message_id=None), QUEUE)

    assert (letter.kind, letter.event_id, letter.queue, letter.time) == (
        "unknown",
        None,
        None,
        None,
    )


@settings(suppress_health_check=[HealthCheck.too_slow])  # machines can be busy
@given(
    st.dictionaries(
        st.sampled_from(
            "hatchet-reason hatchet-detail hatchet-time hatchet-first-time hatchet-attempts "
            "hatchet-workflows hatchet-queue hatchet-user-id hatchet-exchange x-death".split()
        ),
        st.one_of(
            st.none(),
            st.text(max_size=5),
            st.integers(-5, 5),
            st.binary(max_size=3),
            st.lists(st.one_of(st.text(max_size=3), st.dictionaries(st.text(), st.text()))),
            st.datetimes(),
        ),
    )
)
def test_headers_of_any_kind_can_be_read_and_replayed(headers: dict[str, Any]) -> None:
    """Other programs write to queues too."""
    letter = read_letter(event("", headers=headers), QUEUE)

    assert letter.kind
    assert can_be_sent(replayed(letter, operator="o", new_id="n"))


def test_the_reason_is_bounded_and_the_headers_give_way_to_it() -> None:
    """A letter that could not be sent, or read, would be no letter."""
    long = Rejection("k", "\U0001f600" * 5000, "e", tuple("\U0001f600" * 200 for _ in range(50)))
    headers = {"h": "x" * (MAX_PROPERTIES_BYTES - 3000)}

    letter = dead_letter(event(headers=headers), long, queue=QUEUE)

    assert can_be_sent(letter)
    assert letter.headers["hatchet-lost"] == "headers"
    assert "h" not in letter.headers
    read = read_letter(delivered(letter, ""), QUEUE)
    assert len(read.message) == 1000
    assert len(read.workflows) == 10


def test_half_a_character_in_the_reason_can_be_sent() -> None:
    """As an exception's text may have it."""
    letter = dead_letter(event(), Rejection("k", "a \ud800", workflows=("b \ud800",)), queue=QUEUE)

    assert letter.headers["hatchet-detail"] == "a \\ud800"
    assert letter.headers["hatchet-workflows"] == ["b \\ud800"]


def test_properties_that_cannot_be_read_are_kept_as_they_came() -> None:
    """Unless even that is too much."""
    message = event(message_id=None)
    message.headers = UnreadableProperties(b"\x00\x01" * 20_000, "nested too deeply")
    letter = dead_letter(message, Rejection("undecodable", "m", "e"), queue=QUEUE)

    assert len(letter.headers["hatchet-properties"]) == 16_000  # type: ignore[arg-type]
    assert letter.headers["hatchet-unreadable"] == "nested too deeply"
    assert can_be_sent(letter)


def test_headers_that_cannot_be_written_are_left_out_of_a_replay() -> None:
    """Pamqp reads some that it cannot write."""
    message = killed(user_id="shop")
    message.headers["unsigned"] = 2**64 - 1
    back = again(read_letter(message, QUEUE))

    assert back.headers["hatchet-lost"] == "headers"
    assert source_of(back, QUEUE) == "shop"


@pytest.mark.parametrize("value", ["yesterday", 5, None, b"2020", "2020-13-01"])
def test_a_time_that_is_none_is_not_known(value: Any) -> None:
    """Rather than a failure to list the letters."""
    headers = {"hatchet-reason": "r", "hatchet-time": value, "hatchet-first-time": value}

    assert read_letter(event("", headers=headers), QUEUE).time is None


def passed(message: Any, returned: int = 0) -> Any:
    """Return the event as it comes to the next router when it was passed on."""
    event = passed_on(message, queue=QUEUE, new_id="new", returned=returned)
    return delivered(event, "hatchet.router.replay")


def test_an_event_that_is_passed_on_is_the_same_event() -> None:
    """With its id, source and headers, and how often it was passed on and taken back before."""
    first = passed(event(user_id="ada", headers={"mine": 1}, type="t"), returned=2)
    second = passed(first, returned=5)

    assert (second.body, second.message_id, second.type) == (first.body, "e-1", "t")
    assert second.headers["mine"] == 1
    assert source_of(second, QUEUE) == "ada"
    assert [times_passed(each, QUEUE) for each in (first, second)] == [1, 2]
    assert [returned_before(each, QUEUE) for each in (first, second)] == [2, 5]
    assert passed(event(message_id=None)).message_id == "new"


def test_what_a_publisher_says_of_passes_and_returns_is_not_believed() -> None:
    """Anyone can write such headers, and none stays when the event is passed on in earnest."""
    forged = event(headers={"hatchet-passed": 9, "hatchet-returned": 99})

    assert (times_passed(forged, QUEUE), returned_before(forged, QUEUE)) == (0, 0)
    assert times_passed(passed(forged), QUEUE) == 1
    assert returned_before(passed(forged), QUEUE) == 0


def test_a_dead_letter_of_an_event_that_was_passed_on_begins_anew() -> None:
    """Who replays it has seen to what was wrong."""
    letter = letter_of(passed(event(), returned=25))

    assert letter.exchange == "hatchet.events"
    assert returned_before(again(letter), QUEUE) == 0
    assert times_passed(again(letter), QUEUE) == 0


def test_headers_that_cannot_be_sent_are_left_behind() -> None:
    """Rather that than an event that stays where nobody wants it."""
    message = event(headers={"much": "x" * 200_000})

    assert passed(message).headers["hatchet-lost"] == "headers"
