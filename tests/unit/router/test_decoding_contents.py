"""Charsets and compression: what the content type and the content encoding say of a body."""

import gzip
import json
import struct
import time
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_schemas import Event

TEXT = '{"name": "Zoë"}'
DATA = {"name": "Zoë"}


# A block without compression (RFC 1951, section 3.2.4): its length, that inverted, the text.
STORED = struct.pack("<BHH", 0, len(TEXT.encode()), 0xFFFF ^ len(TEXT.encode())) + TEXT.encode()


def decoded(body: bytes, **properties: Any) -> Event | Rejection:
    return decode(Delivery(body, "user:create", **properties), new_id=lambda: "new")


def data_of(body: bytes, **properties: Any) -> Any:
    event = decoded(body, **properties)
    assert isinstance(event, Event), event
    return event.data


def gzipped(body: bytes) -> bytes:
    """Compress without the time, so that the names of tests stay the same."""
    return gzip.compress(body, mtime=0)


def deflated(body: bytes, window: int) -> bytes:
    stream = zlib.compressobj(wbits=window)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8-sig"),
        ("us-ascii", "utf-8"),  # a lie, and harmless: every ASCII text is a UTF-8 text
        ("iso-8859-1", "latin-1"),
        ("Latin1", "latin-1"),
        ("ISO-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("utf-16le", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("utf-32", "utf-32-le"),
        ("utf-32", "utf-32-be"),
    ],
)
def test_a_charset_may_be_named(charset: str, codec: str) -> None:
    """In the content type, or as Spring and kombu do it."""
    body = TEXT.encode(codec)

    assert data_of(body, content_type=f"application/json; charset={charset}") == DATA
    assert data_of(body, content_type=f'text/json;v=1 ;Charset = "{charset}";q=2') == DATA
    assert data_of(body, content_encoding=charset) == DATA


@pytest.mark.parametrize(
    "encoding",
    ["", "identity", "utf-8", "UTF-8", "utf8", "Identity", "binary", "8bit", " utf-8 "],
)
def test_a_plain_body_may_say_so(encoding: str) -> None:
    """Spring says ``UTF-8``, kombu ``utf-8``, or ``binary`` where it was given bytes."""
    assert data_of(TEXT.encode(), content_encoding=encoding) == DATA
    assert data_of(TEXT.encode(), content_type="application/json; charset=") == DATA


@pytest.mark.parametrize("charset", ["utf-7", "idna", "rot13", "unicode_escape", "x", "\x1b[31m"])
def test_another_charset_is_refused_by_name(charset: str) -> None:
    """Python has codecs that are no charsets, and some that take a quadratic time."""
    assert decoded(b"{}", content_type=f"text/json;charset={charset}") == Rejection(
        "unsupported-encoding", f"charset {charset!r} is not supported", "new"
    )
    assert decoded(b"{}", content_encoding=charset) == Rejection(
        "unsupported-encoding", f"content encoding {charset!r} is not supported", "new"
    )


def test_two_charsets_are_refused() -> None:
    """One of them is wrong, and there is no telling which."""
    assert decoded(
        b"{}", content_type="text/json;charset=utf-16", content_encoding="utf-8"
    ) == Rejection(
        "unsupported-encoding",
        "content type 'text/json;charset=utf-16' and content encoding 'utf-8' "
        "name different charsets",
        "new",
    )


@pytest.mark.parametrize(
    ("body", "charset", "reason"),
    [
        (b'{"a": "\xe9"}', "us-ascii", "byte 0xe9 at 7 is not UTF-8"),
        (b'{"a": "\x81"}', "windows-1252", "byte 0x81 at 7 is not CP1252"),
        ('{"a": "\ud800"}'.encode("utf-16-le", "surrogatepass"), "utf-16le", "is not UTF-16-LE"),
        (b"\x00{\x00", "utf-16", "byte 0x00 at 2 is not UTF-16"),
        (b"\x00\x11\x00\x00", "utf-32", "byte 0x00 at 0 is not UTF-32"),
    ],
)
def test_a_body_that_is_not_in_its_charset_is_refused(
    body: bytes, charset: str, reason: str
) -> None:
    """No character is replaced by another."""
    rejection = decoded(body, content_encoding=charset)

    assert isinstance(rejection, Rejection)
    assert rejection.kind == "undecodable"
    assert reason in rejection.message


@given(st.text(), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
def test_every_text_comes_through_a_charset_that_has_it(text: str, codec: str) -> None:
    """Unchanged, with a byte order mark or without."""
    body = json.dumps({"text": text}, ensure_ascii=False).encode(codec)

    assert data_of(body, content_encoding=codec.replace("-le", "le").replace("-be", "be")) == {
        "text": text
    }


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(TEXT.encode())),
        ("GZIP", gzipped(TEXT.encode())),
        ("x-gzip", gzipped(TEXT.encode())),
        ("deflate", zlib.compress(TEXT.encode())),
        ("deflate", deflated(TEXT.encode(), -15)),  # as .NET's DeflateStream makes it
        ("deflate", b"\x08" + STORED[1:] + b"\x01\x00\x00\xff\xff"),  # begins as zlib's format does
        ("gzip, UTF-8", gzipped(TEXT.encode())),  # Spring's GZipPostProcessor since 2.3
        ("gzip:UTF-8", gzipped(TEXT.encode())),  # and before
        ("deflate:utf-16", zlib.compress(TEXT.encode("utf-16"))),
    ],
)
def test_a_compressed_body_is_decompressed(encoding: str, body: bytes) -> None:
    """By HTTP's names (RFC 9110, section 8.4.1)."""
    assert data_of(body, content_encoding=encoding) == DATA


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "zip", "gzip, gzip", "deflate, gzip", "gzip, br", "aes128gcm"]
)
def test_another_compression_or_more_than_one_is_refused_by_name(encoding: str) -> None:
    """It would only look like broken JSON."""
    assert decoded(b"{}", content_encoding=encoding) == Rejection(
        "unsupported-encoding", f"content encoding {encoding!r} is not supported", "new"
    )


def test_kombu_names_its_compression_in_a_header() -> None:
    """What it calls gzip is zlib's format (kombu 5.7, ``kombu/compression.py``)."""
    body = zlib.compress(TEXT.encode())

    assert data_of(body, headers={"compression": "application/x-gzip"}) == DATA
    assert data_of(TEXT.encode(), headers={"compression": "none"}) == DATA
    assert decoded(body, headers={"compression": "application/zstd"}) == Rejection(
        "unsupported-encoding", "compression 'application/zstd' is not supported", "new"
    )
    twice = decoded(body, content_encoding="gzip", headers={"compression": "application/x-gzip"})
    assert isinstance(twice, Rejection)
    assert twice.kind == "unsupported-encoding"


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", b"{}", "the body is not gzip: Error -3"),
        ("gzip", b"", "the body is not gzip: it ends too early"),
        ("gzip", gzipped(b"{}")[:-1], "the body is not gzip: it ends too early"),
        ("gzip", gzipped(b"{}") * 2, "the body is not gzip alone: more bytes follow"),
        ("gzip", gzipped(b"{}") + b"\n", "the body is not gzip alone: more bytes follow"),
        ("gzip", zlib.compress(b"{}"), "the body is not gzip: Error -3"),
        ("deflate", b"{}", "the body is not deflate: "),
        ("deflate", gzipped(b"{}"), "the body is not deflate: "),
        ("deflate", zlib.compress(b"{}")[:-1] + b"x", "the body is not deflate: Error -3"),
    ],
)
def test_what_is_not_compressed_as_it_says_is_refused(
    encoding: str, body: bytes, reason: str
) -> None:
    """Cut short, damaged, or something else."""
    rejection = decoded(body, content_encoding=encoding)

    assert isinstance(rejection, Rejection)
    assert rejection.kind == "undecodable"
    assert rejection.message.startswith(reason)


def test_the_limit_is_on_the_decompressed_body_too() -> None:
    """To the byte."""
    largest = b"{}".ljust(DEFAULT_MAX_BODY_BYTES)

    assert data_of(gzip.compress(largest), content_encoding="gzip") == {}
    assert decoded(gzip.compress(largest + b" "), content_encoding="gzip") == Rejection(
        "too-large",
        "the body has more than 262,144 bytes when it is decompressed, "
        "which are the most that are accepted",
        "new",
    )


def test_a_bomb_ends_early() -> None:
    """A quarter of a megabyte that would be a quarter of a gigabyte."""
    bomb = gzip.compress(b" " * 2**28)
    assert len(bomb) > 200_000
    tracemalloc.start()
    began = time.process_time()

    rejection = decoded(bomb, content_encoding="gzip")

    assert time.process_time() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()
    assert isinstance(rejection, Rejection)
    assert rejection.kind == "too-large"
