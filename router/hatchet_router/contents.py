"""The text in a message's body: its content type, charset and compression."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hatchet_router.reasons import TOO_LARGE, UNSUPPORTED_ENCODING
from hatchet_router.refusals import Refusal, shown

__all__ = ["Contents", "contents_of", "text_of"]

_NAMES: Final = {
    "utf-8": "utf-8 utf8 us-ascii ascii",  # every ASCII text is a UTF-8 text
    "utf-16": "utf-16 utf16",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-32": "utf-32 utf32",
    "utf-32-le": "utf-32le",
    "utf-32-be": "utf-32be",
    "iso8859-1": "iso-8859-1 iso8859-1 iso_8859-1 latin1 latin-1",
    "iso8859-15": "iso-8859-15 iso8859-15 latin-9 latin9",
    "cp1252": "windows-1252 cp1252",
}
_CODECS: Final = {name: codec for codec, names in _NAMES.items() for name in names.split()}
"""Python's codecs by the charset's name in lower case: those that JSON is sent in, and no others.

Some of Python's are no charsets, and some can take a quadratic time.
"""

# As HTTP and MIME name what is not encoded at all; kombu says `binary` of what it got as bytes.
_PLAIN: Final = frozenset({"", "identity", "binary", "8bit", "7bit"})
_SAYING_NOTHING: Final = frozenset({"", "text/plain", "application/octet-stream"})
_COMPRESSIONS: Final = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
# Spring separates by colons, or commas as HTTP does: `gzip:UTF-8`, `gzip, UTF-8`.
_SEPARATORS: Final = re.compile(r"[,:]")
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*("?)([^;"]*)\1\s*(?=;|$)', re.IGNORECASE)

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ZLIB_WINDOW: Final = zlib.MAX_WBITS
_RAW_WINDOW: Final = -zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Contents:
    """What the properties say of the body; ``media_type`` is in lower case, "" if there is none.

    ``name`` is what to call the body where it is not JSON. ``charset`` is a codec's name, None
    where none is given. ``compression`` is "gzip", "deflate" or None. ``unsupported`` says what of
    it all is not read here.
    """

    media_type: str
    name: str
    charset: str | None = None
    compression: str | None = None
    unsupported: str | None = None


@lru_cache(maxsize=256)
def contents_of(content_type: str | None, content_encoding: str | None) -> Contents:
    """Return what the two properties say; the values are few, so the answers are kept.

    A charset can stand in either of them: as the content type's parameter (RFC 9110, section
    8.3.2) or, as Spring and kombu have it, as the content encoding.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    name = "the body"
    if media_type not in _SAYING_NOTHING and not media_type.endswith(("/json", "+json")):
        name = f"the body, of type {shown(media_type)},"
    encodings = [
        encoding.strip() for encoding in _SEPARATORS.split((content_encoding or "").lower())
    ]
    compressions = [item for item in encodings if item not in _PLAIN and item not in _CODECS]
    charsets = [match[1].strip().lower() for match in _CHARSET.findall(content_type or "")]
    unknown = [charset for charset in charsets if charset and charset not in _CODECS]
    codecs = {_CODECS[item] for item in (*charsets, *encodings) if item in _CODECS}
    unsupported = None
    if unknown:
        unsupported = f"charset {shown(unknown[0])} is not supported"
    elif len(compressions) > 1 or not _COMPRESSIONS.keys() >= set(compressions):
        unsupported = f"content encoding {shown(content_encoding)} is not supported"
    elif len(codecs) > 1:
        unsupported = (
            f"content type {shown(content_type)} and content encoding {shown(content_encoding)} "
            "name different charsets"
        )
    return Contents(
        media_type,
        name,
        charset=next(iter(codecs), None),
        compression=_COMPRESSIONS.get(compressions[0]) if compressions else None,
        unsupported=unsupported,
    )


def text_of(body: bytes, contents: Contents, headers: Mapping[str, Any], *, max_bytes: int) -> str:
    """Return the text in ``body``, without the byte order mark that it may begin with.

    ``max_bytes`` is how large it may become by decompression.

    Raises:
        Refusal: it is in a form that is not read here, not what it is said to be, or too large.

    """
    if contents.unsupported is not None:
        raise Refusal(contents.unsupported, UNSUPPORTED_ENCODING)
    compression = contents.compression
    if headers and (of_kombu := _kombu_compression(headers)):
        if compression is not None:
            raise Refusal("the body is compressed more than once", UNSUPPORTED_ENCODING)
        compression = of_kombu
    if compression is not None:
        body = _decompressed(body, compression, max_bytes)
    charset = contents.charset or "utf-8"
    codec = charset
    if charset in {"utf-16", "utf-32"}:
        # Without a mark, zeros among the first characters, which are ASCII, tell the byte order.
        detected = json.detect_encoding(body)
        codec = detected if detected.startswith(charset) else f"{charset}-be"  # RFC 2781, 4.3
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        octet = error.object[error.start : error.start + 1].hex()
        raise Refusal(
            f"{contents.name} is not JSON: byte 0x{octet} at {error.start} is not {charset.upper()}"
        ) from None
    return text.removeprefix("\ufeff")  # RFC 8259, section 8.1: parsers may ignore it


def _kombu_compression(headers: Mapping[str, Any]) -> str | None:
    """Return the compression that kombu names in a header: what it calls gzip is zlib's format."""
    name = headers.get("compression")
    if not isinstance(name, str) or not name.startswith("application/"):
        return None
    if name == "application/x-gzip":
        return "deflate"
    raise Refusal(f"compression {shown(name)} is not supported", UNSUPPORTED_ENCODING)


def _decompressed(body: bytes, compression: str, max_bytes: int) -> bytes:
    """Return what ``body`` holds; no more than ``max_bytes`` and one are ever made of it."""
    window = _GZIP_WINDOW
    if compression == "deflate":
        # RFC 9110, section 8.4.1.2: zlib's format, though some senders leave out its frame.
        zlib_header = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED  # RFC 1950, section 2.2
        framed = zlib_header and int.from_bytes(body[:2]) % 31 == 0
        window = _ZLIB_WINDOW if framed else _RAW_WINDOW
    stream = zlib.decompressobj(window)
    try:
        data = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise Refusal(f"the body is not {compression}: {error}") from None
    if len(data) > max_bytes:
        raise Refusal(
            f"the body has more than {max_bytes:,} bytes when it is decompressed, "
            "which are the most that are accepted",
            TOO_LARGE,
        )
    if not stream.eof:
        raise Refusal(f"the body is not {compression}: it ends too early")
    if stream.unused_data:
        raise Refusal(f"the body is not {compression} alone: more bytes follow")
    return data
