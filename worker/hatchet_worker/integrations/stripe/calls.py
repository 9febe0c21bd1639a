"""Calls of Stripe's API through its SDK, with errors that are sorted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hatchet_worker.context import Context
from hatchet_worker.http_sessions import (
    HttpSession,
    call_seconds,
    client_timeout,
    transport_errors,
)
from hatchet_worker.integrations._extras import extra
from hatchet_worker.integrations._models import with_hint
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    provider_error,
    retry_after,
)

if TYPE_CHECKING:
    from stripe import StripeClient, StripeError

__all__ = ["StripeCalls", "stripe_error"]

_RATE_LIMIT: Final = "rate_limit"  # the code of former API versions, with 400

T = TypeVar("T")


class StripeCalls:
    """Calls Stripe, by its name in errors, at the URL that all paths stand below.

    The API key is the secret called ``secret``; ``account`` is the connected account to act for.
    Nothing is tried again here. The SDK's telemetry, which is one switch for the whole process, is
    switched off.

    Raises:
        MissingExtra: Stripe's SDK is not installed.

    """

    def __init__(
        self, provider: str, url: str, secret: str, account: str | None, *, timeout_seconds: float
    ) -> None:
        with extra("stripe"):
            import stripe
        stripe.enable_telemetry = False
        self._stripe = stripe
        self._provider = provider
        self._url = url.rstrip("/")
        self._secret = secret
        self._account = account
        self._timeout_seconds = timeout_seconds
        self._session = HttpSession()

    async def call(self, method: Callable[[StripeClient], Awaitable[T]], context: Context) -> T:
        """Call a method of the SDK, and return what it returns.

        Raises:
            ProviderError: Stripe refused, or did not answer.

        """
        seconds = call_seconds(context, self._timeout_seconds)
        with transport_errors(self._provider, seconds):
            try:
                return await method(self._client(context, seconds))
            except self._stripe.APIConnectionError as error:
                raise (error.__cause__ or error) from None
            except self._stripe.StripeError as error:
                failure = stripe_error(self._provider, error, self._secret)
        raise failure

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._session.close()

    def _client(self, context: Context, seconds: float) -> StripeClient:
        return self._stripe.StripeClient(
            context.secrets[self._secret],
            stripe_account=self._account,
            base_addresses={"api": self._url},
            max_network_retries=0,
            http_client=self._stripe.AIOHTTPClient(
                session=self._session.opened(), timeout=client_timeout(seconds)
            ),
        )


def stripe_error(provider: str, error: StripeError, secret: str) -> ProviderError:
    """Return what to raise of the SDK's error; the API key is ``secret``'s value.

    Stripe keeps the first result for an idempotency key, even where that is a 500, and says in
    Stripe-Should-Retry whether another try is of use.
    """
    details = _details(error.json_body)
    code = details.get("code") or details.get("type")
    status = error.http_status or 0
    headers: dict[str, str] = error.headers or {}
    message = _message(details, with_hint(details.get("message"), status, secret), error.request_id)
    if status == HTTPStatus.TOO_MANY_REQUESTS or code == _RATE_LIMIT:
        after = retry_after(headers)
        return Throttled(provider, message, status=status, code=code, after=after)
    should_retry = headers.get("Stripe-Should-Retry")
    if should_retry == "false" and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refused(provider, f"{message}; Stripe asks not to retry", status=status, code=code)
    # A conflict is an attempt before this one whose call has not ended.
    is_conflict = status == HTTPStatus.CONFLICT
    if is_conflict or should_retry == "true" or status < HTTPStatus.BAD_REQUEST:
        return ProviderFailed(provider, message, status=status, code=code)
    return provider_error(provider, status, message, code=code, headers=headers)


def _details(body: object) -> dict[str, Any]:
    details = body.get("error") if isinstance(body, dict) else None
    return details if isinstance(details, dict) else {}


def _message(details: dict[str, Any], message: str, request_id: str | None) -> str:
    notes = [
        f"{name} {value}"
        for name, value in (
            ("decline code", details.get("decline_code")),
            ("parameter", details.get("param")),
            ("request", request_id),
        )
        if value
    ]
    return f"{message} ({', '.join(notes)})" if notes else message
