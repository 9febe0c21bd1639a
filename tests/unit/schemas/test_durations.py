from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hatchet_schemas import Duration, SchemaError, format_duration, parse_duration
from hatchet_schemas.durations import MAX_DURATION

MILLISECOND = timedelta(milliseconds=1)
DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("15s", 15_000),
        ("1m30s", 90_000),
        ("250ms", 250),
        ("1h", 3_600_000),
        ("2d", 172_800_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("1.5h", 5_400_000),
        ("0.25s", 250),
        ("1.5ms", 2),
        ("90m", 5_400_000),
        ("0h1s", 1_000),
        ("007s", 7_000),
        ("3650d", 315_360_000_000),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "5",
        "1h30",
        "1s1s",
        "1s2m",
        "1s 2m",
        " 1s",
        "1s ",
        "1s\n",
        "1S",
        "-1s",
        "+1s",
        ".5s",
        "1.s",
        "1e3s",
        "1_0s",
        "1,5s",
        "1:30",
        "\u0661s",
        "\uff11s",
        "1\u017f",
        "1us",
        "1w",
        "1000000000s",
        "1" * 100_000 + "x",
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SchemaError, match=r"is not a duration: expected .* such as 15s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "0d0h0m0s0ms", "0.5ms", "0.9999999ms", "0.000000001s"])
def test_a_duration_below_a_millisecond_is_too_short(text: str) -> None:
    with pytest.raises(SchemaError, match="too short: a duration is at least 1ms"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3650d1ms", "87601h", "999999999d999999999h999999999m"])
def test_a_duration_above_ten_years_is_too_long(text: str) -> None:
    with pytest.raises(SchemaError, match="too long: a duration is at most 3650d"):
        parse_duration(text)


def test_a_long_text_is_cut_short_in_the_message() -> None:
    with pytest.raises(SchemaError) as caught:
        parse_duration("x" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (15_000, "15s"),
        (90_000, "1m30s"),
        (250, "250ms"),
        (86_400_000, "1d"),
        (93_784_005, "1d2h3m4s5ms"),
        (0, "0ms"),
    ],
)
def test_formatting_uses_the_largest_units(milliseconds: int, text: str) -> None:
    assert format_duration(timedelta(milliseconds=milliseconds)) == text


@given(st.integers(1, MAX_DURATION // MILLISECOND))
def test_parsing_reads_back_what_formatting_writes(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text("0123456789.dhms", max_size=12) | st.text(max_size=12))
@settings(max_examples=200)
def test_any_text_is_a_duration_within_bounds_or_an_error(text: str) -> None:
    try:
        duration = parse_duration(text)
    except SchemaError:
        return
    assert MILLISECOND <= duration <= MAX_DURATION
    assert parse_duration(format_duration(duration)) == duration


def test_a_duration_is_a_text_in_json() -> None:
    assert DURATION.dump_json(timedelta(minutes=1, seconds=30)) == b'"1m30s"'
    assert DURATION.validate_json('"1m30s"') == timedelta(seconds=90)
    assert DURATION.json_schema()["type"] == "string"


@given(st.timedeltas())
def test_every_duration_a_model_takes_can_be_read_back(duration: timedelta) -> None:
    try:
        taken = DURATION.validate_python(duration)
    except ValidationError:
        assert not MILLISECOND <= duration <= MAX_DURATION
        return
    assert DURATION.validate_json(DURATION.dump_json(taken)) == taken


@pytest.mark.parametrize("value", [15, 1.5, True, None, ["15s"], {"s": 15}])
def test_a_duration_is_no_other_kind_of_value(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        DURATION.validate_python(value)
    assert caught.value.errors()[0]["type"] == "duration_type"
