"""What goes wrong with a service that an action calls, sorted by what a second try would do.

| class | when | tried again |
|---|---|---|
| `Throttled` | 429, 503 with Retry-After: nothing was done | yes, when the provider says |
| `Unreachable` | no connection could be made: nothing was done | yes |
| `ProviderFailed` | 408, 425, 5xx, no answer in time: nobody knows what was done | yes |
| `Refused` | all else: the request is wrong, or its sender | no |

An at-most-once action is called again after the first two alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from hatchet_worker.errors import NonRetryable, Retry, WorkerError
from hatchet_worker.masking import SECRETS_IN_USE

__all__ = [
    "ProviderError",
    "ProviderFailed",
    "Refused",
    "Throttled",
    "Unreachable",
    "provider_error",
    "retry_after",
]

_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_MESSAGE_CHARACTERS: Final = 500
_LONGEST_WAIT_SECONDS: Final = 24 * 3600.0


class ProviderError(WorkerError):
    """A call to ``provider`` has failed.

    ``status`` is HTTP's, ``code`` the provider's own name of what is wrong; None where there is
    none.
    """

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        after: float | None = None,
    ) -> None:
        self.provider = provider
        self.status = status
        self.code = code
        what = " ".join(str(part) for part in (status, code) if part is not None)
        # Before it is cut, for half a secret is no known secret any more.
        said = SECRETS_IN_USE.text(message)[:_MESSAGE_CHARACTERS]
        text = f"{provider}: {what + ': ' if what else ''}{said}"
        if isinstance(self, Retry):
            Retry.__init__(self, text, after=after)
        else:
            super().__init__(text)


class Throttled(ProviderError, Retry):
    """The provider asks to come back later, and has done nothing."""


class Unreachable(ProviderError, Retry):
    """No connection to the provider could be made, so it has done nothing."""


class ProviderFailed(ProviderError):
    """The provider failed, or did not answer in time; nobody knows what it has done."""


class Refused(ProviderError, NonRetryable):
    """The provider refuses the request, and would refuse it again."""


def provider_error(
    provider: str,
    status: int,
    message: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProviderError:
    """Return what to raise of an answer with an HTTP ``status`` that is no success.

    ``code`` and ``message`` are the provider's own. ``headers`` are the answer's, for
    ``Retry-After``; their names' case counts unless the mapping ignores it.
    """
    after = retry_after(headers or {})
    if status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and after is not None
    ):
        return Throttled(provider, message, status=status, code=code, after=after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
        return ProviderFailed(provider, message, status=status, code=code)
    return Refused(provider, message, status=status, code=code)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3), a day at most.

    None where it is absent or cannot be read.
    """
    text = (headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - not a number
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
