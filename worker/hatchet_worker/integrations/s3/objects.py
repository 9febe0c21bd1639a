"""What steps say of objects in S3, and what comes back."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hatchet_worker.integrations._models import Params, Result
from hatchet_worker.integrations._octets import Base64

__all__ = [
    "AnyObject",
    "Copy",
    "DeletedObject",
    "NewObject",
    "OldObject",
    "Presigned",
    "PresignedUrl",
    "ReadObject",
    "StoredObject",
    "WantedObject",
]

_MAX_GET_BYTES: Final = 1_048_576
_LARGEST_GET_BYTES: Final = 1_350_000  # as base64 it still fits into a step's outputs
_LONGEST_URL_SECONDS: Final = 7 * 24 * 3600  # Signature Version 4 allows no more
_MAX_KEY_BYTES: Final = 1024


def _key(text: str) -> str:
    if len(text.encode()) > _MAX_KEY_BYTES:
        raise ValueError(f"a key has at most {_MAX_KEY_BYTES:,} bytes")
    return text


Key = Annotated[str, Field(min_length=1), AfterValidator(_key)]
"""An object's key."""

Bucket = Annotated[str, Field(min_length=3, max_length=2048)]
"""A bucket's name, or the ARN of an access point."""


class AnyObject(Params):
    """What all actions are told."""

    bucket: Bucket | None = None
    """The bucket; if not set, the integration's `bucket`."""

    key: Key
    """The object's key, such as `reports/2026/01.csv`."""


class NewObject(AnyObject):
    """An object to store."""

    text: str | None = None
    """What it holds, as text, which is stored in UTF-8; either `text` or `base64` is needed."""

    base64: Base64 | None = None
    """What it holds, as base64."""

    content_type: str | None = None
    """Its media type; `text/plain; charset=utf-8` for a `text` without one."""

    metadata: dict[str, str] = Field(default_factory=dict[str, str])
    """Names and values, in ASCII, that are kept with it."""

    @model_validator(mode="after")
    def _holds_one_thing(self) -> Self:
        if (self.text is None) == (self.base64 is None):
            raise ValueError("expected text or base64, one of them")
        return self


class WantedObject(AnyObject):
    """An object to read."""

    encoding: Literal["text", "base64"] = "text"
    """How its bytes are put out: as the text that they are in UTF-8, or as base64."""

    max_bytes: Annotated[int, Field(ge=1, le=_LARGEST_GET_BYTES)] = _MAX_GET_BYTES
    """A larger object fails the step."""


class Copy(AnyObject):
    """An object to copy, and where to."""

    source_bucket: Bucket | None = None
    """The bucket that it is in; if not set, the one that it is copied to."""

    source_key: Key
    """The key that it has there."""


class OldObject(AnyObject):
    """An object to delete."""


class Presigned(AnyObject):
    """What a URL is to be good for."""

    method: Literal["GET", "PUT"] = "GET"
    """Whether whoever has the URL may read the object, or store it."""

    expires_seconds: Annotated[int, Field(ge=1, le=_LONGEST_URL_SECONDS)] = 3600
    """How long it is good for; at most seven days, and no longer than the worker's credentials."""


class StoredObject(Result):
    """What S3 says of the object that it has stored."""

    bucket: str
    """The bucket that it is in."""

    key: str
    """Its key."""

    etag: str | None
    """Its ETag, without quotation marks."""

    version: str | None
    """Its version, in a bucket that keeps versions."""


class ReadObject(Result):
    """An object, read to its end."""

    text: str | None
    """What it holds, where it was wanted as text."""

    base64: str | None
    """What it holds, where it was wanted as base64."""

    content_type: str | None
    """Its media type."""

    bytes: int
    """How many bytes it has."""

    etag: str | None
    """Its ETag, without quotation marks."""

    version: str | None
    """Its version, in a bucket that keeps versions."""

    metadata: dict[str, str]
    """The names and values that are kept with it."""


class DeletedObject(Result):
    """What S3 says of a deletion; there may have been no such object."""

    version: str | None
    """The version of the mark that hides the object, in a bucket that keeps versions."""


class PresignedUrl(Result):
    """A URL that anybody can use."""

    url: str
    """The URL. It is a credential, and stands in the job's history like any output."""
