"""A coverage-guided fuzzer of the decoder, beside the test suite.

    pip install atheris
    python tests/fuzz/decoding.py -atheris_runs=1000000 [-max_len=4096] [CORPUS]

It makes messages that reach new lines of the decoder, and holds each to what `checked` demands in
``tests/unit/router/test_decoding_fuzz.py``. It begins with the folder CORPUS, into which sound
messages of each kind are put first, and adds to it. What fails is written into a file, which the
script takes as an argument to show it again. Other options are those of libFuzzer.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "router"))

with atheris.instrument_imports(
    include=["hatchet_router", "json", "base64", "datetime"], enable_loader_override=False
):
    from test_decoding_fuzz import checked

    from hatchet_router.deliveries import Delivery

_TYPES: Final = (
    None,
    "application/json",
    "application/cloudevents+json",
    "application/vnd.masstransit+json",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "text/plain; charset=utf-32",
)
_ENCODINGS: Final = (None, "utf-8", "gzip", "deflate", "gzip:UTF-8", "cp1252")
_NAMES: Final = (
    *("ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "cloudEvents:id"),
    *("cloudEvents_time", "CE-ID", "task", "id", "compression", "x-death", "other"),
)
_DEEPEST: Final = 70  # a little too deep
_VALUES: Final = ("1.0", "application/x-gzip", "2016-12-31T23:59:60Z", "/shop", "")


def _text(data: atheris.FuzzedDataProvider, most: int = 40) -> str:
    text: str = data.ConsumeUnicodeNoSurrogates(most)
    return text


def _value(data: atheris.FuzzedDataProvider, depth: int = 0) -> Any:
    match data.ConsumeIntInRange(0, 8 if depth < _DEEPEST else 6):
        case 0:
            return data.PickValueInList(list(_VALUES))
        case 1:
            return _text(data, 300)
        case 2:
            return data.ConsumeInt(9)
        case 3:
            return data.ConsumeFloat()
        case 4:
            return data.ConsumeBytes(20)
        case 5:
            return data.PickValueInList([None, True, False])
        case 6:
            seconds = data.ConsumeIntInRange(-62_135_596_800, 253_402_300_799)
            return datetime.fromtimestamp(seconds, tz=UTC)
        case 7:
            return [_value(data, depth + 1) for _ in range(data.ConsumeIntInRange(0, 3))]
        case _:
            return {_text(data): _value(data, depth + 1)}


def _short(data: atheris.FuzzedDataProvider) -> str | None:
    """Return a text as AMQP's short strings can be, or none."""
    return _text(data, 63) or None


def one_input(octets: bytes) -> None:
    """Decode the message that ``octets`` stand for; what is left of them is the body."""
    data = atheris.FuzzedDataProvider(octets)
    properties: dict[str, Any] = {
        "routing_key": "order.paid",
        "content_type": data.PickValueInList([*_TYPES, "…"]),
        "content_encoding": data.PickValueInList([*_ENCODINGS, "…"]),
    }
    for name in ("content_type", "content_encoding"):
        if properties[name] == "…":
            properties[name] = _short(data)
    if data.ConsumeIntInRange(0, 1):
        properties |= {name: _short(data) for name in ("message_id", "user_id", "correlation_id")}
    count = data.ConsumeIntInRange(0, 7)
    properties["headers"] = {data.PickValueInList(list(_NAMES)): _value(data) for _ in range(count)}
    checked(Delivery(data.ConsumeBytes(data.remaining_bytes()), **properties))


def seeds() -> Iterator[bytes]:
    """Yield sound messages, and nearly sound ones, as `one_input` reads them.

    What is chosen from a list is read from the end on, a byte each; the rest is the body.
    """
    cloud_event = b'{"specversion":"1.0","id":"A","source":"/s","type":"t",%b}'
    time = b'"time":"2018-04-05T17:31:00.1234567Z"'
    plain = b'{"a":[1,-1.5e3,"\\ud83d\\ude80",null,true,{}],"b":9223372036854775807}'
    bodies = (
        *(b"", plain, gzip.compress(plain), zlib.compress(plain), plain.decode().encode("utf-16")),
        *(
            b'{"a":1,"a":2}',
            b'{"a":NaN}',
            b'{"a":1e999}',
            b'{"a":"\\ud800"}',
            b"[" * 70 + b"]" * 70,
        ),
        *(b'{"a":9223372036854775808}', b"\xef\xbb\xbf{}", b"12", b"[]", b'"x"', b"null", b"\xff"),
        *(b'[[],{"o":7},null]', b'[[1],{"o":7},{"chain":null}]', b"[[],{}]"),
        cloud_event % (time + b',"data":{"o":7}'),
        cloud_event % b'"data_base64":"e30=","time":null',
        cloud_event % b'"data_base64":"/w==","datacontenttype":"application/xml"',
        cloud_event % b'"data_base64":"e30"',
        cloud_event % b'"data_base64":7',
        cloud_event % b'"data_base64":"e30=","data":{}',
        cloud_event % b'"subject":"s"',
        b'{"message":{"o":7},"messageId":"m","sentTime":"2016-12-31T23:59:60Z","sourceAddress":"a"}',
        b'{"message":{"o":7},"messageId":7}',
        b'{"message":[]}',
        b"{}",
    )
    shop, version, leap_second = _VALUES.index("/shop"), 0, 2
    header_choices: tuple[tuple[tuple[int, int], ...], ...] = (
        (),
        ((0, shop), (1, shop), (2, shop), (3, version), (4, leap_second)),
        ((_NAMES.index("task"), shop), (_NAMES.index("id"), shop)),
        ((_NAMES.index("compression"), _VALUES.index("application/x-gzip")),),
    )
    for body, kind, encoding, headers in product(
        bodies, range(len(_TYPES)), range(len(_ENCODINGS)), header_choices
    ):
        chosen = [kind, encoding, 0, len(headers)]
        for name, value in headers:
            chosen += [name, 0, value]
        yield body + bytes(reversed(chosen))


if __name__ == "__main__":
    if (corpus := Path(sys.argv[-1])).is_dir() and len(sys.argv) > 1:
        for number, seed in enumerate(seeds()):
            (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
