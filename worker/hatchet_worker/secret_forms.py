"""The forms in which a secret's value may show up where nobody wants it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MIN_CHARACTERS", "secret_forms"]

MIN_CHARACTERS: Final = 4
"""What is shorter stands everywhere, so that masking it would tell more than it hides."""

_PERCENT: Final = re.compile("%[0-9A-F]{2}")
_QUOTES: Final = "'\""
_DEPTH: Final = 3  # escapes of escapes of escapes
_LONG: Final = 4096  # characters; the lines of what is longer are masked on their own anyway
_BITS_OF_CHARACTER: Final = 6  # in base64


def secret_forms(value: str) -> frozenset[str]:
    """Return the texts to be masked for ``value``: itself, its lines, and how either is written.

    These are base64 (RFC 4648, the URL-safe alphabet too, and at each of the three places where a
    value can begin inside something longer), percent-encoding, and the escapes of JSON and of
    Python's ``repr``, also of each other: an error's ``repr`` that quotes JSON, in a log of JSON.
    """
    plain = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    found: set[str] = set()
    for text in plain:
        if len(text) >= MIN_CHARACTERS:
            found.update((text, *_percent_encoded(text), *_escaped(text)))
    for text in (value, value.strip()):
        if len(text) >= MIN_CHARACTERS:
            found.update(_base64(_encoded(text)))
    return frozenset(form for form in found if len(form) >= MIN_CHARACTERS)


def _base64(octets: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(octets).decode("ascii")
        yield whole
        yield whole.rstrip("=")
        for before in range(3):
            # The characters that hold bits of the value alone, whatever stands around it.
            first = -(-before * 8 // _BITS_OF_CHARACTER)
            last = (before + len(octets)) * 8 // _BITS_OF_CHARACTER
            yield encode(bytes(before) + octets).decode("ascii")[first:last]


def _percent_encoded(text: str) -> Iterator[str]:
    octets = _encoded(text)
    for form in (
        quote(octets, safe=""),
        quote(octets),
        quote(octets, safe="!'()*"),  # as JavaScript's encodeURIComponent
        quote_plus(octets),
    ):
        yield form
        yield _PERCENT.sub(lambda match: match.group().lower(), form)


def _escaped(text: str) -> set[str]:
    forms = {text, repr(_encoded(text))[2:-1]}
    for _ in range(_DEPTH if len(text) <= _LONG else 1):
        forms |= {escape(form) for form in forms for escape in _ESCAPES}
    return forms


_ESCAPES: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: ascii(text)[1:-1],
    # As a part of something with both kinds of quotes, of which one is escaped then.
    lambda text: repr(f"{_QUOTES}{text}")[len(repr(_QUOTES)) - 1 : -1],
    lambda text: ascii(f"{_QUOTES}{text}")[len(repr(_QUOTES)) - 1 : -1],
    lambda text: text.encode("unicode_escape").decode("ascii"),
)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
