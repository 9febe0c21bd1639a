"""No form of a secret is left, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hatchet_worker.masking import MASK, Masker

KEY = "-----BEGIN KEY-----\nMIIEv+/Q\"IB'ADA\\N\nBgkqhkiG9w0\n-----END KEY-----\n"
VALUES = [
    "hunter2!",
    "t0ken/with+signs=&?",
    KEY,
    "schlüssel-ß-🗝",
    "quo\"te's and spaces",
    "a\tb\nc\x1b",
]

FORMS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "json": json.dumps,
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps({"a": text}, ensure_ascii=False)),
    "repr": repr,
    "repr in a container": lambda text: repr({"a": [text]}),
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "unicode_escape": lambda text: text.encode("unicode_escape").decode(),
    "url": quote,
    "url, all": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text)),
    "form": quote_plus,
    "encodeURIComponent": lambda text: quote(text, safe="!'()*"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64, unpadded": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}


def masker_of(*values: str) -> Masker:
    """Return a masker that knows ``values``."""
    masker = Masker()
    for number, value in enumerate(values):
        masker.remember(f"SECRET_{number}", value)
    return masker


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:8])
def test_a_value_is_masked_in_each_form(value: str, form: str) -> None:
    written = FORMS[form](value)

    masked = masker_of(value).text(f"<before> {written} <after>")

    wrapping = r"""[{\["'\\a: b]*"""
    assert re.fullmatch(rf"""<before> {wrapping}\*\*\*["'\\}}\]]* <after>""", masked)


@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("after", range(7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_wherever_the_value_begins_in_it(
    before: int, after: int, encode: Callable[[bytes], bytes]
) -> None:
    """As in the credentials of basic authentication, where a user's name stands before it."""
    value = "s3cr3t?>pässwörd"
    encoded = encode(b"u" * before + value.encode() + b"x" * after).decode()

    masked = masker_of(value).text(encoded)

    # Of the octets at either end, a character that they share with others may be left.
    left = masked.replace(MASK, "")
    assert len(left) <= len(encoded) - (len(value.encode()) * 8 // 6 - 2)
    assert MASK in masked


def test_each_line_of_a_value_is_masked_on_its_own() -> None:
    masker = masker_of(KEY)

    for line in KEY.strip().split("\n"):
        assert masker.text(f"found {line}, sorry") == f"found {MASK}, sorry"


@given(
    st.text(min_size=4).filter(lambda value: len(value.strip()) >= 4),
    st.text(),
    st.text(),
)
@example("abab", "ab", "ab")
@example("aaaa", "aa", "aa")
def test_a_value_is_never_left_in_a_text(value: str, before: str, after: str) -> None:
    assume(value not in MASK * 9)
    masked = masker_of(value).text(before + value + after)

    assert value not in masked


@given(
    st.lists(st.text(alphabet="abc*", min_size=4, max_size=8), min_size=1), st.text(alphabet="abc*")
)
def test_values_that_overlap_are_masked_to_the_last_character(
    values: list[str], around: str
) -> None:
    """Replacing one after another would leave an end of the second."""
    text = around + "".join(values) + around
    covered = [False] * len(text)
    for value in values:
        for start in range(len(text)):
            if text.startswith(value, start):
                covered[start : start + len(value)] = [True] * len(value)

    kept = "".join(char for char, hidden in zip(text, covered, strict=True) if not hidden)
    masked = masker_of(*values).text(text)

    assume("*" not in kept)
    assert masked.replace("*", "") == kept


def test_without_secrets_all_is_returned_as_it_is() -> None:
    data = {"a": ["b", 1]}

    assert Masker().data(data) is data
    assert masker_of("hunter2").data(data) is data
    assert not Masker().knows_secrets


def test_data_is_masked_through_and_through() -> None:
    masker = masker_of("hunter2", "8675309")

    masked = masker.data(
        {
            "a": ["hunter2", {"b": ("x hunter2 y", None, True, 1.5)}],
            "hunter2": 1,
            "phone": 8675309,
            "near": 86753090,
        }
    )

    assert masked == {
        "a": [MASK, {"b": ("x *** y", None, True, 1.5)}],
        "***": 1,
        "phone": MASK,
        "near": 86753090,
    }


def test_names_that_become_alike_do_not_swallow_each_other() -> None:
    masked = masker_of("hunter2", "hunter3").data({"hunter2": 1, "hunter3": 2})

    assert sorted(masked.values()) == [1, 2]
    assert all("hunter" not in key for key in masked)


def test_a_value_that_is_too_short_is_told_once_and_not_masked() -> None:
    masker = Masker()

    with capture_logs() as logs:
        masker.remember("PIN", "123")
        masker.remember("PIN", "124")
        masker.remember("OTHER", " 12 ")

    assert [(entry["event"], entry["secret"]) for entry in logs] == [
        ("secret.too_short_to_mask", "PIN"),
        ("secret.too_short_to_mask", "OTHER"),
    ]
    assert masker.text("123 124") == "123 124"


def test_a_worker_whose_secrets_are_new_each_time_forgets_the_oldest() -> None:
    """Else each step would be slower than the one before."""
    masker = masker_of(*(f"value-{number:05}" for number in range(1200)))
    masker.remember("KEPT", "value-00300")
    masker.remember("NEW", "value-01200")

    assert masker.text("value-00000") == "value-00000"
    assert masker.text("value-00300 value-01199 value-01200") == f"{MASK} {MASK} {MASK}"


def test_what_was_remembered_before_is_masked_while_others_are_remembered() -> None:
    """Threads learn secrets while others mask; there is no moment without."""
    masker = masker_of("hunter2")
    stop = threading.Event()

    def learn() -> None:
        for number in range(100_000):
            masker.remember("OTHER", f"value-{number:06}")
            masker.remember("MINE", "hunter2")
            if stop.is_set():
                return

    learning = threading.Thread(target=learn)
    learning.start()
    deadline = time.monotonic() + 0.5
    try:
        while time.monotonic() < deadline:
            assert masker.text("my hunter2") == "my ***"
    finally:
        stop.set()
        learning.join()


@pytest.mark.parametrize("value", [None, 1, 1.5, True, object()])
def test_what_is_no_text_is_left_alone(value: Any) -> None:
    assert masker_of("hunter2").data(value) is value


def test_a_number_like_a_secret_that_is_too_short_stays_as_it_is() -> None:
    masker = masker_of("hunter2", "1")

    assert masker.data({"who": "hunter2", "count": 1}) == {"who": "***", "count": 1}
