"""Events on the wire."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hatchet_schemas import Event, EventHeader
from hatchet_schemas.events import MAX_HOPS

EVENT = Event(id="e-1", key="a", time=datetime(2026, 1, 1, tzinfo=UTC), data={})


def test_no_hops_are_not_written() -> None:
    """So that a worker which knows none of them can read the job."""
    assert set(EVENT.model_dump(mode="json")) == {"id", "key", "time", "source", "data"}
    assert "hops" not in EVENT.header.model_dump_json()


def test_hops_come_through() -> None:
    event = EVENT.model_copy(update={"hops": 3})

    assert Event.model_validate_json(event.model_dump_json()) == event
    assert EventHeader.model_validate_json(event.header.model_dump_json()).hops == 3


@pytest.mark.parametrize("hops", [-1, MAX_HOPS + 1, "1", 1.5])
def test_hops_are_a_small_number(hops: object) -> None:
    with pytest.raises(ValidationError):
        EventHeader.model_validate({**EVENT.header.model_dump(), "hops": hops})
