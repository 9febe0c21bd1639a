"""An event's source: no two publishers have the same, whatever they call themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery
from hatchet_router.sources import event_source
from hatchet_schemas import Event
from hatchet_schemas.names import workflow_id


@pytest.mark.parametrize(
    ("user", "declared", "source"),
    [
        (None, None, None),
        ("", None, None),
        ("shop", None, "shop"),
        ("my shop", None, "my shop"),
        ("ann@corp/a:50%", None, "ann%40corp%2Fa%3A50%25"),
        ("shop", "/orders", "shop@/orders"),
        ("shop", "", "shop@"),
        (None, "/orders", "/orders"),
        (None, "https://example.org/x?y=@", "https://example.org/x?y=@"),
        (None, "urn:uuid:6e8bc430", "urn:uuid:6e8bc430"),
        (None, "mailto:ann@example.org", "mailto:ann@example.org"),
        (None, "1-555-123-4567", "@1-555-123-4567"),
        (None, "shop", "@shop"),
        (None, "shop@/orders", "@shop@/orders"),
        (None, "@/orders", "@@/orders"),
        (None, "a\n/b", "a\n/b"),
    ],
)
def test_a_source_tells_who_it_was(
    user: str | None, declared: str | None, source: str | None
) -> None:
    """The user whom RabbitMQ has verified, and what the publisher says."""
    assert event_source(user, declared) == source


# Few letters, so that what could be mistaken for another comes up often.
names = st.text(st.sampled_from("ab%4@/:\n"), max_size=6)


@given(st.none() | names, st.none() | names, st.none() | names, st.none() | names)
def test_different_publishers_have_different_sources(
    user: str | None, declared: str | None, other_user: str | None, other_declared: str | None
) -> None:
    """So none can take the ids of another's events before they come."""
    same = (user or None, declared) == (other_user or None, other_declared)

    assert (event_source(user, declared) == event_source(other_user, other_declared)) is same


def job_of(user_id: str | None, **headers: Any) -> str:
    if headers:
        headers = {f"ce-{name}": value for name, value in headers.items()}
        headers |= {"ce-specversion": "1.0", "ce-type": "order.paid"}
    event = decode(Delivery(b"{}", "order.paid", "e-1", user_id=user_id, headers=headers))
    assert isinstance(event, Event)
    return workflow_id("w", "j", event.id, event.source)


def test_nobody_can_start_the_job_of_another_users_event() -> None:
    """By saying what the other one says, or what the router makes of it."""
    victims = {job_of("shop"), job_of("shop", id="e-1", source="/orders")}

    for says in ("shop", "shop@/orders", "/orders", "@/orders", "@shop", "shop%40/orders"):
        assert job_of("evil", id="e-1", source=says) not in victims
        assert job_of(None, id="e-1", source=says) not in victims
    assert job_of("evil") not in victims
    assert job_of("shop@/orders") not in victims
    assert job_of(None) not in victims
