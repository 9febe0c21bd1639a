"""What may travel through Temporal."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from pydantic import BaseModel, Field

from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_worker import InvalidOutput
from hatchet_worker.payloads import job_result, json_object


class Created(BaseModel):
    """A result with a date, and a name of its own on the wire."""

    at: dt.date
    channel_id: str = Field(serialization_alias="channelId")


@dataclasses.dataclass
class _Pair:
    left: int


def test_outputs_become_plain_json_data() -> None:
    """Later steps see what the Temporal history holds."""
    assert json_object(None) == {}
    assert json_object({"at": dt.date(2026, 1, 31), "n": (1, 2)}) == {
        "at": "2026-01-31",
        "n": [1, 2],
    }
    assert json_object(Created(at=dt.date(2026, 1, 31), channel_id="C1")) == {
        "at": "2026-01-31",
        "channelId": "C1",
    }
    assert json_object(_Pair(left=1)) == {"left": 1}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ("done", "the outputs are a str: expected a dict, a pydantic model or None"),
        (["a"], "the outputs are a list"),
        (True, "the outputs are a bool"),
        ({"socket": object()}, "not JSON data: Unable to serialize unknown type"),
        ({"ratio": float("nan")}, "not JSON data"),
        ({"bytes": b"\xff"}, "not JSON data"),
    ],
)
def test_what_is_no_json_object_is_refused(outputs: object, message: str) -> None:
    """Later steps could not name its fields."""
    with pytest.raises(InvalidOutput, match=message):
        json_object(outputs)


def test_outputs_nested_without_end_are_refused() -> None:
    """An error, not an exhausted stack."""
    nested: dict[str, Any] = {}
    nested["again"] = nested

    with pytest.raises(InvalidOutput, match="not JSON data"):
        json_object(nested)


def test_outputs_too_large_for_temporal_are_refused() -> None:
    """Temporal's own refusal would be retried, and is hard to read."""
    room = MAX_PAYLOAD_BYTES - len('{"text":""}')

    assert json_object({"text": "x" * room})
    with pytest.raises(InvalidOutput, match="1,900,001 bytes as JSON, at most 1,900,000 fit"):
        json_object({"text": "x" * (room + 1)})


def test_a_job_s_result_holds_the_outputs_of_its_steps() -> None:
    """It is what waits for the one who published the event."""
    assert job_result({"a": {"n": 1}, "b": {}}) == {"steps": {"a": {"n": 1}, "b": {}}}


def test_a_job_s_result_leaves_out_what_does_not_fit() -> None:
    """A finished job must not fail for the size of its result."""
    outputs: dict[str, dict[str, Any]] = {
        "a": {"text": "x" * 1_000_000},
        "b": {"text": "y" * 1_200_000},
        "c": {"n": 1},
    }

    assert job_result(outputs) == {
        "steps": {"a": outputs["a"], "c": {"n": 1}},
        "omitted": ["b"],
    }
