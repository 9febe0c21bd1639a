from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from hatchet_worker import Context
from hatchet_worker.http_sessions import HttpSession, call_seconds, transport_errors
from hatchet_worker.provider_errors import ProviderError, ProviderFailed, Unreachable

KEY = ConnectionKey("acme.example", 443, True, True, None, None, None)  # noqa: FBT003
WITH_TOKEN = RequestInfo(
    URL("https://acme.example"),
    "POST",
    CIMultiDictProxy(CIMultiDict({"Authorization": "Bearer tok-3141592"})),
    URL("https://acme.example"),
)


@pytest.mark.parametrize(
    ("raised", "sorted_as", "text"),
    [
        (
            aiohttp.ClientConnectorError(KEY, OSError(111, "Connection refused")),
            Unreachable,
            "no connection: [Errno 111] Connection refused",
        ),
        (aiohttp.ConnectionTimeoutError("too slow"), Unreachable, "no connection: too slow"),
        (TimeoutError(), ProviderFailed, "no answer within 2.5 s"),
        (aiohttp.ServerTimeoutError(), ProviderFailed, "no answer within 2.5 s"),
        (aiohttp.ServerDisconnectedError("gone"), ProviderFailed, "gone"),
        (aiohttp.ClientPayloadError("half"), ProviderFailed, "ClientPayloadError: half"),
        (aiohttp.ContentTypeError(WITH_TOKEN, ()), ProviderFailed, "ContentTypeError"),
    ],
)
def test_what_goes_wrong_on_the_way_is_sorted(
    raised: Exception, sorted_as: type[ProviderError], text: str
) -> None:
    with pytest.raises(sorted_as) as caught, transport_errors("acme", 2.5):
        raise raised

    assert text in str(caught.value)
    assert "tok-3141592" not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(None, 3600.0), (7200.0, 3600.0), (1800.0, 1800.0), (0.2, 0.1), (-1.0, 0.1)],
)
def test_a_call_ends_before_its_step(left: float | None, seconds: float) -> None:
    deadline = None if left is None else datetime.now(UTC) + timedelta(seconds=left)

    assert call_seconds(Context(deadline=deadline), 3600.0) == pytest.approx(seconds, rel=0.05)


def test_each_event_loop_has_a_session_of_its_own() -> None:
    session = HttpSession()

    async def opened() -> aiohttp.ClientSession:
        first = session.opened()
        assert session.opened() is first
        await session.close()
        assert first.closed
        return first

    assert asyncio.run(opened()) is not asyncio.run(opened())
