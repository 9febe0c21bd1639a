"""What the integrations of AWS have in common: clients, credentials and errors."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError
from hatchet_worker.http_sessions import call_seconds
from hatchet_worker.integrations._extras import extra
from hatchet_worker.integrations._options import option
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
    provider_error,
)

if TYPE_CHECKING:
    from botocore.config import Config

__all__ = ["ACCESS_KEY_SECRETS", "AwsClients", "aws_errors"]

ACCESS_KEY_SECRETS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The usual names of the secrets that hold an access key."""

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = (10.0, 5.0, 2.0, 1.0)  # a client each, since it keeps its timeouts

# As botocore's own retries know them (botocore.retries.standard), and S3's SlowDown.
_THROTTLED: Final = frozenset(
    "BandwidthLimitExceeded EC2ThrottledException PriorRequestNotComplete "
    "ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled "
    "RequestThrottledException SlowDown ThrottledException Throttling ThrottlingException "
    "TooManyRequestsException TransactionInProgressException".split()
)
_TRANSIENT: Final = frozenset(
    "InternalError InternalFailure OperationAborted RequestTimeout RequestTimeoutException "
    "ServiceUnavailable".split()
)
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500


class AwsClients:
    """Makes clients of one service of AWS, and keeps them as long as its credentials.

    ``secrets`` are the names of two that hold an access key; without them boto3 finds credentials
    where it always does: in its variables and files, or as the role of the machine. ``region`` and
    ``endpoint_url`` are `HATCHET_<SERVICE>_REGION` and `HATCHET_<SERVICE>_ENDPOINT_URL` where they
    are None, and boto3's own where these are not set. A client is safe to use from many threads.
    It tries nothing again by itself: that is Temporal's to do.
    """

    def __init__(
        self,
        service: str,
        integration: str,
        *,
        secrets: tuple[str, ...],
        region: str | None,
        endpoint_url: str | None,
    ) -> None:
        prefix = f"HATCHET_{integration.upper()}"
        with extra(integration):
            import boto3
        self._new_session = boto3.session.Session
        self._service = service
        self._secrets = _checked(secrets, integration)
        self._region = option(region, f"{prefix}_REGION")
        self._endpoint_url = option(endpoint_url, f"{prefix}_ENDPOINT_URL")
        self._guard = threading.Lock()
        self._credentials: tuple[str, ...] = ()
        self._made: dict[float, Any] = {}

    def client(self, context: Context) -> Any:
        """Return the client for the credentials of ``context``, which waits less than its step.

        Where the credentials have changed, the clients before are let go.
        """
        credentials = tuple(context.secrets[name] for name in self._secrets)
        seconds = _read_seconds(context)
        with self._guard:
            if credentials != self._credentials:
                self._credentials, self._made = credentials, {}
            if seconds not in self._made:
                self._made[seconds] = self._new_client(credentials, seconds)
            return self._made[seconds]

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._guard:
            made, self._made = self._made, {}
        for client in made.values():
            client.close()

    def _new_client(self, credentials: tuple[str, ...], seconds: float) -> Any:
        key, secret = credentials or (None, None)
        # A session of its own, since the default one is not safe to make clients from in threads.
        session: Any = self._new_session()
        return session.client(
            self._service,
            region_name=self._region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=_config(self._service, seconds),
        )


@contextmanager
def aws_errors(provider: str) -> Generator[None]:
    """Raise what boto3 raises inside the ``with`` block as the error of a provider.

    Raises:
        ProviderError: of the kind that says what a second try would do.

    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise _answered(provider, error.response) from error
    except (
        exceptions.EndpointConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyConnectionError,
        exceptions.SSLError,
    ) as error:
        raise Unreachable(provider, f"no connection: {error}") from error
    except (
        exceptions.HTTPClientError,  # lost, too late, or only a part of an answer
        exceptions.IncompleteReadError,
        exceptions.FlexibleChecksumError,
    ) as error:
        raise ProviderFailed(provider, str(error)) from error
    except exceptions.CredentialRetrievalError as error:
        raise Unreachable(provider, str(error)) from error  # the machine's role may come back
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise Refused(
            provider,
            f"{error}: give the worker credentials as boto3 finds them (AWS_ACCESS_KEY_ID and "
            "others, a profile, a role), or the integration the names of two secrets",
        ) from error
    except exceptions.BotoCoreError as error:  # what boto3 refuses to send
        raise Refused(provider, str(error)) from error


def _answered(provider: str, response: Any) -> ProviderError:
    """Return what to raise of an answer that is an error."""
    told = response.get("Error", {})
    code = told.get("Code") or None
    message = told.get("Message") or "no reason given"
    metadata = response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode") or _BAD_REQUEST
    if code in _THROTTLED:
        return Throttled(provider, message, status=status, code=code)
    if code in _TRANSIENT:
        return ProviderFailed(provider, message, status=status, code=code)
    headers = metadata.get("HTTPHeaders", {})
    return provider_error(provider, max(status, _BAD_REQUEST), message, code=code, headers=headers)


def _read_seconds(context: Context) -> float:
    left = call_seconds(context, _READ_SECONDS[0])
    return next((seconds for seconds in _READ_SECONDS if seconds <= left), _READ_SECONDS[-1])


def _config(service: str, seconds: float) -> Config:
    from botocore.config import Config

    return Config(
        connect_timeout=min(seconds, _CONNECT_SECONDS),
        read_timeout=seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        # By itself it signs URLs of S3 in a way that most regions no longer take.
        signature_version="s3v4" if service == "s3" else None,
        user_agent_extra="hatchet-workflows",
    )


def _checked(secrets: tuple[str, ...], integration: str) -> tuple[str, ...]:
    if len(secrets) not in (0, 2):
        raise IntegrationError(
            f"integration {integration}: secrets are {secrets!r}; expected none, or the names of "
            "two that hold the id of an access key and the key itself"
        )
    return secrets
