"""Objects in a stand-in for S3, and what S3 says where it fails."""

from __future__ import annotations

import base64
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.worker.integrations.aws.conftest import KEYS, Scripted

from hatchet_worker import Context, IntegrationError, InvalidInput, use_context
from hatchet_worker.integrations._aws import ACCESS_KEY_SECRETS
from hatchet_worker.integrations._extras import MissingExtra
from hatchet_worker.integrations.s3 import S3
from hatchet_worker.integrations.s3.objects import (
    Copy,
    NewObject,
    OldObject,
    Presigned,
    WantedObject,
)
from hatchet_worker.integrations.ses import SES
from hatchet_worker.provider_errors import ProviderFailed, Refused, Throttled, Unreachable

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def made() -> Iterator[Callable[..., S3]]:
    """Make an integration, once for the same options: its client takes long to make."""
    known: dict[str, S3] = {}

    def make(url: str, **options: Any) -> S3:
        options = {"region": REGION, "endpoint_url": url, **options}
        return known.setdefault(str(options), S3(secrets=ACCESS_KEY_SECRETS, **options))

    yield make
    for each in known.values():
        each._clients.close()


Made = Callable[..., S3]


@pytest.fixture
def s3(moto_url: str, aws_context: Context, made: Made) -> Iterator[S3]:
    bucket = f"bucket-{uuid.uuid4().hex}"
    integration = made(moto_url)
    integration.bucket = bucket
    client = integration._clients.client(aws_context)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield integration
    integration.bucket = None


def test_an_object_is_stored_read_copied_and_deleted(s3: S3, aws_context: Context) -> None:
    stored = s3.put_object(
        NewObject(key="a/ü.txt", text="grüß", metadata={"owner": "ada"}), aws_context
    )
    assert (stored.bucket, stored.key) == (s3.bucket, "a/ü.txt")
    assert stored.etag
    assert '"' not in stored.etag

    s3.copy_object(Copy(key="b", source_key="a/ü.txt"), aws_context)
    s3.delete_object(OldObject(key="a/ü.txt"), aws_context)
    s3.delete_object(OldObject(key="a/ü.txt"), aws_context)
    read = s3.get_object(WantedObject(key="b"), aws_context)

    assert read.model_dump(exclude={"version"}) == {
        "text": "grüß",
        "base64": None,
        "content_type": "text/plain; charset=utf-8",
        "bytes": 6,
        "etag": stored.etag,
        "metadata": {"owner": "ada"},
    }
    with pytest.raises(Refused, match=r"s3: 404 NoSuchKey: The specified key does not exist"):
        s3.get_object(WantedObject(key="a/ü.txt"), aws_context)


def test_bytes_come_back_as_they_were(s3: S3, aws_context: Context) -> None:
    octets = base64.b64encode(bytes(range(256))).decode()
    s3.put_object(NewObject(key="k", base64=octets, content_type="image/x"), aws_context)

    assert s3.get_object(WantedObject(key="k", encoding="base64"), aws_context).base64 == octets
    with pytest.raises(Refused, match="no text in UTF-8; get it with encoding: base64"):
        s3.get_object(WantedObject(key="k"), aws_context)
    with pytest.raises(Refused, match="has 256 bytes, and max_bytes is 255"):
        s3.get_object(WantedObject(key="k", encoding="base64", max_bytes=255), aws_context)


def test_a_presigned_url_works_without_credentials(s3: S3, aws_context: Context) -> None:
    s3.put_object(NewObject(key="k", text="x"), aws_context)

    url = s3.presign(Presigned(key="k", expires_seconds=60), aws_context).url

    assert "X-Amz-Expires=60" in url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - of this machine
        assert answer.read() == b"x"


def test_a_client_lives_as_long_as_its_credentials(
    moto_url: str, aws_context: Context, made: Made
) -> None:
    """So a secret that was changed counts."""
    s3 = made(moto_url)
    first = s3._clients.client(aws_context)

    assert s3._clients.client(aws_context) is first
    changed = Context(secrets={**KEYS, "AWS_SECRET_ACCESS_KEY": "other"})
    assert s3._clients.client(changed) is not first


@pytest.mark.parametrize(("left", "seconds"), [(60, 10.0), (7, 5.0), (0, 1.0)])
def test_a_client_waits_less_than_its_step(
    moto_url: str, made: Made, left: int, seconds: float
) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=left)

    client = made(moto_url)._clients.client(Context(deadline=deadline, secrets=KEYS))

    assert client.meta.config.read_timeout == seconds
    assert client.meta.config.connect_timeout == min(seconds, 5.0)


@pytest.mark.parametrize("integration", [S3, SES])
def test_without_boto3_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, integration: type[S3 | SES]
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(MissingExtra, match=rf"'hatchet-workflows\[{integration.id}\]'"):
        integration()


def _error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>so it is</Message></Error>"


@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (503, "SlowDown", Throttled),
        (400, "ThrottlingException", Throttled),
        (400, "RequestTimeout", ProviderFailed),
        (409, "OperationAborted", ProviderFailed),
        (500, "InternalError", ProviderFailed),
        (502, "", ProviderFailed),
        (200, "InternalError", ProviderFailed),  # as CopyObject answers once it has begun
        (403, "AccessDenied", Refused),
        (403, "InvalidAccessKeyId", Refused),
        (404, "NoSuchBucket", Refused),
        (412, "PreconditionFailed", Refused),
    ],
)
def test_errors_are_sorted_and_asked_for_once(
    scripted: Scripted,
    aws_context: Context,
    made: Made,
    status: int,
    code: str,
    raised: type[Exception],
) -> None:
    s3 = made(scripted.url, bucket="bucket")
    scripted.says(status, _error(code))

    with pytest.raises(raised, match=f"{code}: .*so it is" if code else "s3: 502") as caught:
        s3.copy_object(Copy(key="k", source_key="j"), aws_context)

    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
    assert len(scripted.asked) == 1


def test_a_connection_that_is_lost_is_not_one_that_was_never_made(
    scripted: Scripted, aws_context: Context, made: Made
) -> None:
    scripted.status = 0
    s3 = made(scripted.url, bucket="bucket")
    with pytest.raises(ProviderFailed):
        s3.delete_object(OldObject(key="k"), aws_context)

    nowhere = made("http://127.0.0.1:1", bucket="bucket")
    with pytest.raises(Unreachable, match="no connection"):
        nowhere.delete_object(OldObject(key="k"), aws_context)


def test_without_credentials_the_error_says_where_to_put_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in (*KEYS, "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3 = S3(region=REGION, endpoint_url="http://127.0.0.1:1", bucket="bucket")

    with pytest.raises(Refused, match="AWS_ACCESS_KEY_ID"):
        s3.delete_object(OldObject(key="k"), Context())


@pytest.mark.parametrize(
    ("verb", "data", "message"),
    [
        ("put-object", {"key": "k"}, "expected text or base64"),
        ("put-object", {"key": "k", "text": "", "base64": ""}, "one of them"),
        ("put-object", {"key": "k", "base64": "ä"}, "base64: .*expected base64"),
        ("put-object", {"key": "", "text": "x"}, "key: "),
        ("put-object", {"key": "ü" * 513, "text": "x"}, "at most 1,024 bytes"),
        ("put-object", {"key": "k", "text": "x", "contenttype": "x"}, "contenttype: Extra"),
        ("get-object", {"key": "k", "max_bytes": 10_000_000}, "max_bytes: "),
        ("presign", {"key": "k", "expires_seconds": 604_801}, "expires_seconds: "),
        ("delete-object", {"key": "k"}, r"bucket: Field required; or .* HATCHET_S3_BUCKET"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    scripted: Scripted,
    aws_context: Context,
    made: Made,
    verb: str,
    data: dict[str, Any],
    message: str,
) -> None:
    s3 = made(scripted.url)

    with use_context(aws_context), pytest.raises(InvalidInput, match=message):
        s3.perform_action(verb, data)

    assert scripted.asked == []


def test_one_secret_is_no_access_key() -> None:
    with pytest.raises(IntegrationError, match="expected none, or the names of two"):
        S3(secrets=["AWS_ACCESS_KEY_ID"])
