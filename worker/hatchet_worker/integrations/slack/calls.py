"""Calls of Slack's Web API through its SDK, with errors that are sorted.

Slack answers most errors with 200 and ``{"ok": false, "error": "<code>"}``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from hatchet_worker.context import Context
from hatchet_worker.http_client import Answer
from hatchet_worker.http_sessions import (
    HttpSession,
    call_seconds,
    transport_errors,
)
from hatchet_worker.integrations._extras import extra
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    provider_error,
    retry_after,
)

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

__all__ = ["SlackCalls", "slack_error"]

_THROTTLED: Final = frozenset({"rate_limited", "ratelimited"})
_FAILED: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",  # the workspace is moving to an organization, and comes back
    }
)
_CHECK: Final = "is the secret {secret} the right one?"
_HINTS: Final = {
    "account_inactive": _CHECK,
    "channel_not_found": "there is none, or it is private and the app is not in it",
    "invalid_auth": _CHECK,
    "is_archived": "the channel is archived",
    "name_taken": "a channel has this name already, maybe one that the app does not see",
    "not_authed": _CHECK,
    "not_in_channel": "invite the app to the channel",
    "token_expired": _CHECK,
    "token_revoked": _CHECK,
}


class SlackCalls:
    """Calls Slack, by its name in errors, at the URL that all methods stand below.

    The token is the secret called ``secret``. Nothing is tried again here.

    Raises:
        MissingExtra: Slack's SDK is not installed.

    """

    def __init__(self, provider: str, url: str, secret: str, *, timeout_seconds: float) -> None:
        with extra("slack"):
            from slack_sdk.errors import SlackApiError
            from slack_sdk.web.async_client import AsyncWebClient
        self._client_class = AsyncWebClient
        self._error_class = SlackApiError
        self._provider = provider
        self._url = url
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        self._session = HttpSession()

    async def call(
        self, method: Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]], context: Context
    ) -> dict[str, Any]:
        """Call a method, and return what it answers.

        Raises:
            ProviderError: Slack refused, or did not answer.

        """
        return self.checked(await self.answer(method, context))

    async def answer(
        self, method: Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]], context: Context
    ) -> Answer:
        """Call a method, and return what it answers, be it an error.

        Raises:
            Unreachable: no connection could be made.
            ProviderFailed: there was no answer in time, or only a part of one.

        """
        client = self._client_class(
            token=context.secrets[self._secret],
            base_url=self._url,
            session=self._session.opened(),
            retry_handlers=[],
        )
        seconds = call_seconds(context, self._timeout_seconds)
        with transport_errors(self._provider, seconds):
            try:
                async with asyncio.timeout(seconds):
                    return _answer(await method(client))
            except self._error_class as error:
                answer = _answer(error.response)
        return answer

    async def upload(self, url: str, octets: bytes, context: Context) -> None:
        """Send a file's content to a URL that Slack gave for it.

        Raises:
            ProviderError: it was not taken.

        """
        seconds = call_seconds(context, self._timeout_seconds)
        with transport_errors(self._provider, seconds):
            async with (
                asyncio.timeout(seconds),
                self._session.opened().post(url, data=octets) as it,
            ):
                status, headers = it.status, it.headers
        if status != HTTPStatus.OK:
            raise provider_error(
                self._provider, status, "the file's content was not taken", headers=headers
            )

    def checked(self, answer: Answer) -> dict[str, Any]:
        """Return what a method answered.

        Raises:
            ProviderError: that is an error.

        """
        if (
            answer.status == HTTPStatus.OK
            and isinstance(answer.body, dict)
            and answer.body.get("ok")
        ):
            return answer.body
        raise slack_error(self._provider, answer, self._secret)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._session.close()


def slack_error(provider: str, answer: Answer, secret: str) -> ProviderError:
    """Return what to raise of an answer that is an error; the token is ``secret``'s value."""
    code, message = answer.field("error"), _message(answer, secret)
    if code in _THROTTLED or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        after = retry_after(answer.headers)
        return Throttled(provider, message, status=answer.status, code=code, after=after)
    if answer.status != HTTPStatus.OK:
        return provider_error(provider, answer.status, message, code=code, headers=answer.headers)
    if code is None or code in _FAILED:
        return ProviderFailed(provider, message, code=code)
    return Refused(provider, message, code=code)


def _message(answer: Answer, secret: str) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    parts = list(map(str, (body.get("response_metadata") or {}).get("messages") or ()))
    if body.get("needed"):
        parts.append(f"the token has the scopes {body.get('provided')}, and needs {body['needed']}")
    if hint := _HINTS.get(str(body.get("error"))):
        parts.append(hint.format(secret=secret))
    return "; ".join(parts) or "no reason given"


def _answer(response: Any) -> Answer:
    """Return the SDK's response; it raises aiohttp's own where the body is no JSON."""
    status = getattr(response, "status_code", None) or response.status
    return Answer(status, response.headers, getattr(response, "data", None))
