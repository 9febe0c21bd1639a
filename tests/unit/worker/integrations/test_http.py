"""Requests to real servers on this machine, by names that a resolver of the tests knows."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from hatchet_worker import Context, IntegrationError, InvalidInput, use_context
from hatchet_worker.integrations.http import ForbiddenTarget, Http, Request, Response
from hatchet_worker.integrations.http.sending import TooLarge
from hatchet_worker.provider_errors import ProviderFailed, Refused, Throttled, Unreachable

ADDRESSES = {"api.test": "127.0.0.1", "other.test": "127.0.0.1", "evil.test": "127.0.0.9"}


class Server:
    """Says what it was asked, and what its paths are named after."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        self.asked.append(f"{request.method} {request.host.partition(':')[0]}{request.path}")
        match request.path.split("/")[1:]:
            case ["echo"]:
                return web.json_response(
                    {
                        "method": request.method,
                        "headers": {name.lower(): value for name, value in request.headers.items()},
                        "query": dict(request.query),
                        "body": await request.text(),
                    }
                )
            case ["to", status, *_]:
                return web.Response(
                    status=int(status), headers={"Location": request.query["location"]}
                )
            case ["status", status, *_]:
                headers = {"Retry-After": "7"} if status in {"429", "503"} else {}
                return web.json_response(
                    {"error": {"message": "so it is"}}, status=int(status), headers=headers
                )
            case ["loop"]:
                raise web.HTTPFound("/loop")
            case ["text"]:
                return web.Response(
                    body="grüß".encode("latin-1"), content_type="text/plain", charset="latin-1"
                )
            case ["wrong"]:
                return web.Response(body=b"{", content_type="application/json")
            case ["bomb"]:
                return web.Response(
                    body=gzip.compress(bytes(3_000_000)), headers={"Content-Encoding": "gzip"}
                )
            case ["hang"]:
                await self.over.wait()
        return web.Response(status=204, headers={"X-A": "1"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    await web.SockSite(runner, socket.create_server(("127.0.0.9", made.port))).start()
    yield made
    made.over.set()
    await runner.cleanup()


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up, among those of `ADDRESSES`."""
    names: list[str] = []

    def lookup(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        names.append(host)
        if host not in ADDRESSES:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESSES[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return names


@pytest.fixture
async def http(server: Server, looked_up: list[str]) -> AsyncIterator[Http]:
    made = Http(
        hosts=["*.test"], networks=["127.0.0.1/32"], ports=[server.port], max_bytes=1_000_000
    )
    yield made
    await made.close()


Call = Callable[..., Any]


@pytest.fixture
def call(http: Http, server: Server) -> Call:
    async def called(path: str, host: str = "api.test", **fields: Any) -> Response:
        url = f"http://{host}:{server.port}{path}"
        return await http.request(Request(url=url, **fields), Context(idempotency_key="k-1"))

    return called


async def test_json_goes_out_and_comes_back(call: Call) -> None:
    reply = await call(
        "/echo?a=1",
        method="POST",
        query={"b": 2},
        headers={"X-Key": "v", "idempotency-key": "mine"},
        body={"c": [3]},
        idempotency_header="Idempotency-Key",
    )

    said = reply.body
    assert (reply.status, said["method"], said["body"]) == (200, "POST", '{"c":[3]}')
    assert said["query"] == {"a": "1", "b": "2"}
    assert said["headers"]["x-key"] == "v"
    assert said["headers"]["idempotency-key"] == "k-1"
    assert said["headers"]["content-type"] == "application/json"
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_text_is_sent_as_it_is(call: Call) -> None:
    reply = await call("/echo", method="PUT", body="<a/>", headers={"content-type": "text/xml"})

    assert reply.body["body"] == "<a/>"
    assert reply.body["headers"]["content-type"] == "text/xml"


async def test_texts_and_empty_answers_come_back(call: Call) -> None:
    assert (await call("/text")).body == "grüß"
    assert (await call("/wrong")).body == "{"
    assert (await call("/empty")).model_dump(exclude={"headers", "url"}) == {
        "status": 204,
        "body": None,
    }


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, Refused),
        (404, Refused),
        (408, ProviderFailed),
        (429, Throttled),
        (500, ProviderFailed),
        (503, Throttled),
    ],
)
async def test_statuses_are_sorted(call: Call, status: int, raised: type[Exception]) -> None:
    with pytest.raises(raised, match=rf"http GET api\.test: {status}: so it is"):
        await call(f"/status/{status}")

    assert (await call(f"/status/{status}", accept_statuses=[status])).status == status


async def test_a_redirect_is_followed_and_a_loop_is_not(call: Call, server: Server) -> None:
    reply = await call("/to/302?location=/echo", method="POST", body="x")
    assert (reply.body["method"], reply.body["body"]) == ("GET", "")
    reply = await call("/to/307?location=/echo", method="POST", body="x")
    assert (reply.body["method"], reply.body["body"]) == ("POST", "x")
    assert reply.url.endswith("/echo")
    server.asked.clear()

    with pytest.raises(ForbiddenTarget, match="more than 5 redirects"):
        await call("/loop")

    assert len(server.asked) == 6
    assert (await call("/to/302?location=/echo", follow_redirects=False)).status == 302


async def test_headers_do_not_go_along_to_another_host(call: Call, server: Server) -> None:
    """Whichever of them is the credential."""
    headers = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Accept": "text/x"}
    reply = await call(f"/to/307?location=http://other.test:{server.port}/echo", headers=headers)

    assert "s3cret" not in str(reply.body)
    assert reply.body["headers"]["accept"] == "text/x"
    reply = await call("/to/307?location=/echo", headers=headers)
    assert reply.body["headers"]["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://169.254.169.254/latest/meta-data/", "may not be called"),
        ("http://2852039166/", "neither a name nor"),
        ("//evil.example/", "may not be called"),
        ("http://evil.test:{port}/", "evil.test.* is at 127.0.0.9, which is not public"),
        ("http://api.test:1/", "port 1 "),
        ("http://user:pw@api.test:{port}/", "credentials"),
        ("file:///etc/passwd", "scheme"),
        ("http://[", "no good URL"),
    ],
)
async def test_a_redirect_is_checked_as_a_request_is(
    call: Call, server: Server, location: str, message: str
) -> None:
    with pytest.raises(ForbiddenTarget, match=message):
        await call(f"/to/302?location={location.format(port=server.port)}")

    assert len(server.asked) == 1


async def test_a_redirect_to_metadata_is_refused_where_all_hosts_are_allowed(
    server: Server, looked_up: list[str]
) -> None:
    http = Http(hosts=["*"], networks=["127.0.0.1/32"], ports=[80, server.port])
    location = "http://169.254.169.254/latest/meta-data/"
    url = f"http://api.test:{server.port}/to/302?location={location}"

    with pytest.raises(ForbiddenTarget, match=r"169\.254\.169\.254' is not public"):
        await http.request(Request(url=url), Context())

    assert looked_up == ["api.test"]
    await http.close()


async def test_what_was_checked_is_what_is_called(
    call: Call, http: Http, looked_up: list[str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server may answer differently each time: one lookup serves both."""
    await call("/echo")
    assert looked_up == ["api.test"]
    await http.close()
    monkeypatch.setitem(ADDRESSES, "api.test", "127.0.0.9")

    with pytest.raises(ForbiddenTarget, match=r"is at 127\.0\.0\.9"):
        await call("/echo")

    assert len(server.asked) == 1
    assert looked_up == ["api.test"] * 2


async def test_a_name_with_one_bad_address_is_not_called(
    call: Call, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    def lookup(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        both = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")]
        return [(family, socket.SOCK_STREAM, 6, "", (ip, port)) for family, ip in both]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)

    with pytest.raises(ForbiddenTarget, match="::ffff:127"):
        await call("/echo")


async def test_who_is_not_there_is_unreachable(call: Call, http: Http, server: Server) -> None:
    with pytest.raises(Unreachable, match=r"http GET nobody\.test: no connection"):
        await call("/", host="nobody.test")
    refusing = Http(hosts=["*"], networks=["127.0.0.0/8"], ports=[1])
    with pytest.raises(Unreachable):
        await refusing.request(Request(url="http://127.0.0.1:1/"), Context())
    await refusing.close()


async def test_an_answer_that_does_not_come_is_given_up(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hatchet_worker.integrations.http._TIMEOUT_SECONDS", 0.05)

    with pytest.raises(ProviderFailed, match="no answer within"):
        await call("/hang")


async def test_a_bomb_is_not_swallowed(call: Call) -> None:
    with pytest.raises(TooLarge, match="more than 1,000,000 bytes"):
        await call("/bomb")


async def test_proxies_of_the_environment_are_not_asked(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert (await call("/echo")).status == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "header 'X-A' has line breaks"),
        ({"headers": {"X A": "a"}}, "not the name of a header"),
        ({"headers": {"Host": "evil.test"}}, "set by the connection"),
        ({"headers": {"transfer-encoding": "chunked"}}, "set by the connection"),
        ({"headers": {"A": "1", "a": "2"}}, "stands twice"),
        ({"headers": {"a": "x" * 20_000}}, "at most 64 headers"),
        ({"idempotency_header": "Content-Length"}, "set by the connection"),
        ({"method": "TRACE"}, "method: "),
        ({"url": "http://u:pw@api.test/"}, "credentials"),
        ({"accept_statuses": [200]}, "accept_statuses"),
        ({"bodi": "x"}, "bodi: Extra inputs"),
    ],
)
def test_what_cannot_be_sent_is_refused_before(
    http: Http, fields: dict[str, Any], message: str, looked_up: list[str]
) -> None:
    with use_context(Context()), pytest.raises(InvalidInput, match=message) as caught:
        http.perform_action("request", {"url": "http://api.test/", **fields})

    assert "pw" not in str(caught.value)
    assert looked_up == []


async def test_nothing_may_be_called_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(url="http://api.test/")
    with pytest.raises(ForbiddenTarget, match=r"no host may be called.*HATCHET_HTTP_HOSTS"):
        await Http().request(request, Context())
    monkeypatch.setenv("HATCHET_HTTP_HOSTS", " other.test , *.example.com,")
    with pytest.raises(ForbiddenTarget, match="not among"):
        await Http().request(request, Context())
    monkeypatch.setenv("HATCHET_HTTP_MAX_BYTES", "2000000")
    with pytest.raises(IntegrationError, match="up to 1,800,000"):
        Http()
