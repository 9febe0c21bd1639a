"""Objects in S3, and in stores that speak as S3 does."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.errors import InvalidInput
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._aws import AwsClients, aws_errors
from hatchet_worker.integrations._options import option
from hatchet_worker.integrations.s3.objects import (
    AnyObject,
    Copy,
    DeletedObject,
    NewObject,
    OldObject,
    Presigned,
    PresignedUrl,
    ReadObject,
    StoredObject,
    WantedObject,
)
from hatchet_worker.provider_errors import Refused

__all__ = ["S3"]


class S3(Integration):
    """Stores, reads, copies and deletes objects, as boto3 does.

    Credentials are found as boto3 always finds them, in variables, files or as the role of the
    machine; or ``secrets`` are the names of two that hold an access key (`ACCESS_KEY_SECRETS` are
    their usual names). ``bucket`` is for steps that name none. ``endpoint_url`` is where another
    store than AWS's is. Arguments that are None come from HATCHET_S3_BUCKET, HATCHET_S3_REGION and
    HATCHET_S3_ENDPOINT_URL.
    """

    id = "s3"

    def __init__(
        self,
        *,
        id: str = "s3",  # noqa: A002 - as in the base class
        secrets: Sequence[str] = (),
        bucket: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = tuple(secrets)
        self.bucket = option(bucket, "HATCHET_S3_BUCKET")
        self._clients = AwsClients(
            "s3", "s3", secrets=self.secrets, region=region, endpoint_url=endpoint_url
        )

    @action("put-object", semantics="idempotent")
    def put_object(self, new: NewObject, context: Context) -> StoredObject:
        """Store an object, in place of what has its key.

        A second attempt stores the same again; in a bucket that keeps versions, as one more.
        """
        content_type = new.content_type
        if new.text is not None:
            body = new.text.encode()
            content_type = content_type or "text/plain; charset=utf-8"
        else:
            body = base64.b64decode(new.base64 or "")
        fields = {} if content_type is None else {"ContentType": content_type}
        bucket = self._bucket(new)
        with aws_errors(self.id):
            answer = self._clients.client(context).put_object(
                Bucket=bucket, Key=new.key, Body=body, Metadata=new.metadata, **fields
            )
        return StoredObject(
            bucket=bucket,
            key=new.key,
            etag=_etag(answer.get("ETag")),
            version=answer.get("VersionId"),
        )

    @action("get-object", semantics="idempotent")
    def get_object(self, wanted: WantedObject, context: Context) -> ReadObject:
        """Read an object that is small enough to be a step's output.

        What is larger than `max_bytes`, or no text where text is wanted, fails the step at once.
        For large objects, hand their key or a presigned URL on.
        """
        with aws_errors(self.id):
            answer = self._clients.client(context).get_object(
                Bucket=self._bucket(wanted), Key=wanted.key
            )
            with answer["Body"] as stream:
                if answer["ContentLength"] > wanted.max_bytes:
                    raise Refused(
                        self.id,
                        f"the object {wanted.key!r} has {answer['ContentLength']:,} bytes, and "
                        f"max_bytes is {wanted.max_bytes:,}",
                    )
                octets: bytes = stream.read()
        return ReadObject(
            text=self._text(octets, wanted) if wanted.encoding == "text" else None,
            base64=base64.b64encode(octets).decode() if wanted.encoding == "base64" else None,
            content_type=answer.get("ContentType"),
            bytes=len(octets),
            etag=_etag(answer.get("ETag")),
            version=answer.get("VersionId"),
            metadata=answer.get("Metadata", {}),
        )

    @action("copy-object", semantics="idempotent")
    def copy_object(self, copy: Copy, context: Context) -> StoredObject:
        """Copy an object of at most 5 GB within S3, with its metadata."""
        bucket = self._bucket(copy)
        source = {"Bucket": copy.source_bucket or bucket, "Key": copy.source_key}
        with aws_errors(self.id):
            answer = self._clients.client(context).copy_object(
                Bucket=bucket, Key=copy.key, CopySource=source
            )
        return StoredObject(
            bucket=bucket,
            key=copy.key,
            etag=_etag(answer.get("CopyObjectResult", {}).get("ETag")),
            version=answer.get("VersionId"),
        )

    @action("delete-object", semantics="idempotent")
    def delete_object(self, old: OldObject, context: Context) -> DeletedObject:
        """Delete an object; it is no error if there is none."""
        with aws_errors(self.id):
            answer = self._clients.client(context).delete_object(
                Bucket=self._bucket(old), Key=old.key
            )
        return DeletedObject(version=answer.get("VersionId"))

    @action("presign", semantics="idempotent")
    def presign(self, presigned: Presigned, context: Context) -> PresignedUrl:
        """Make a URL by which anybody can read or store an object for a while.

        S3 is not asked, so the object need not exist. The URL works with the rights of the worker.
        """
        operation = "get_object" if presigned.method == "GET" else "put_object"
        with aws_errors(self.id):
            url: str = self._clients.client(context).generate_presigned_url(
                operation,
                Params={"Bucket": self._bucket(presigned), "Key": presigned.key},
                ExpiresIn=presigned.expires_seconds,
            )
        return PresignedUrl(url=url)

    async def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _bucket(self, wanted: AnyObject) -> str:
        bucket = wanted.bucket or self.bucket
        if bucket is None:
            raise InvalidInput(
                "bucket: Field required; or give the integration a default: S3(bucket=...) or "
                "HATCHET_S3_BUCKET"
            )
        return bucket

    def _text(self, octets: bytes, wanted: WantedObject) -> str:
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise Refused(
                self.id,
                f"the object {wanted.key!r} is no text in UTF-8; get it with encoding: base64",
            ) from None


def _etag(quoted: Any) -> str | None:
    return quoted.strip('"') if isinstance(quoted, str) else None
