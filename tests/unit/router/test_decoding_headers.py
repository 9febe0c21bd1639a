"""The limits of a message's headers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hatchet_router import letter_headers
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.message_headers import MAX_HEADERS, MAX_HEADERS_BYTES, NOT_PUBLISHED
from hatchet_schemas import Event


def decoded(headers: dict[str, Any]) -> Event | Rejection:
    return decode(Delivery(b"{}", "user:create", "id", headers=headers))


def nested(depth: int, *, table: bool) -> Any:
    value: Any = {} if table else []
    for _ in range(depth - 1):
        value = {"n": value} if table else [value]
    return value


def test_headers_of_every_type_are_accepted() -> None:
    """And mean nothing, unless they are those of an envelope."""
    values = ["é", b"\xff", bytearray(b"x"), 1, 1.5, Decimal("1.5"), None, True, [1, {"a": [2]}]]
    headers = {f"h{number}": value for number, value in enumerate(values)}

    assert isinstance(decoded({**headers, "t": datetime(2026, 1, 1, tzinfo=UTC)}), Event)


def test_no_more_than_so_many_are_accepted() -> None:
    """Those that RabbitMQ and a replay add do not count."""
    most = {f"h{number}": number for number in range(MAX_HEADERS)}
    added = dict.fromkeys(NOT_PUBLISHED, "x")

    assert isinstance(decoded({**most, **added}), Event)
    assert decoded({**most, "one more": 1}) == Rejection(
        "too-large", "the message has 65 headers, at most 64 are accepted", "id"
    )


@pytest.mark.parametrize("character", ["x", "é", "🚀"])
def test_they_have_no_more_than_so_many_bytes(character: str) -> None:
    """In names and values, of which texts count as UTF-8."""
    room = MAX_HEADERS_BYTES - len("name")
    most = character * (room // len(character.encode()))

    assert isinstance(decoded({"name": most}), Event)
    rejection = decoded({"name": most + character})
    assert isinstance(rejection, Rejection)
    assert rejection.kind == "too-large"
    assert "at most 16,384 are accepted" in rejection.message


@pytest.mark.parametrize(
    "value", [[0] * 2048, {f"{n}": 0 for n in range(2048)}, [[b"x" * 8] * 64] * 64]
)
def test_bytes_in_lists_and_tables_count(value: Any) -> None:
    """However they are divided."""
    rejection = decoded({"h": value})

    assert isinstance(rejection, Rejection)
    assert rejection.kind == "too-large"


@pytest.mark.parametrize("table", [True, False])
def test_they_are_not_nested_deeper_than_a_body(table: bool) -> None:  # noqa: FBT001 - a parameter
    """The headers are a table themselves."""
    assert isinstance(decoded({"n": nested(63, table=table)}), Event)
    for depth in (64, 5000):
        assert decoded({"n": nested(depth, table=table)}) == Rejection(
            "undecodable", "the headers are nested more than 64 deep", "id"
        )


def test_what_a_dead_letter_adds_does_not_count() -> None:
    """An event with as many headers as may be can be replayed."""
    added = letter_headers.HISTORY | letter_headers.BROKER_HEADERS | {letter_headers.DEATHS}

    assert added <= NOT_PUBLISHED
