"""Temporal's remote codec protocol, as a browser and a command line speak it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from itertools import product

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload

from hatchet_cli.codec_counts import OPERATIONS, OUTCOMES, CodecCounts
from hatchet_cli.codec_server import codec_application, serving_codec
from hatchet_cli.commands.codec_server import codec_server
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.codecs import codec_ops
from hatchet_worker.encryption import EncryptionCodec
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing

Client = TestClient[web.Request, web.Application]

UI = "http://127.0.0.1:8233"
TOKEN = {"Authorization": "Bearer s3cret"}
KEY = EncryptionKey("k1", bytes(32))
CODEC = EncryptionCodec(KeyRing((KEY,)))


def text64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = {
    "payloads": [{"metadata": {"encoding": text64("json/plain")}, "data": text64('{"a": "Ada"}')}]
}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(codec_application(CODEC, [UI], "s3cret"))) as client:
        yield client


async def test_what_was_encoded_is_decoded(client: Client) -> None:
    encoding = await client.post("/encode", json=PLAIN, headers=TOKEN)
    encoded = await encoding.json()
    decoding = await client.post(
        "/decode", json=encoded, headers={**TOKEN, "Origin": UI, "X-Namespace": "default"}
    )

    assert "Ada" not in base64.b64decode(encoded["payloads"][0]["data"]).decode("latin-1")
    assert await decoding.json() == PLAIN
    assert decoding.headers["Access-Control-Allow-Origin"] == UI


async def test_a_browser_is_told_what_its_page_may_ask(client: Client) -> None:
    """Before a request that bears a token it asks, without one."""
    asked = {
        "Origin": UI,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = await client.options("/decode", headers=asked)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == UI
    assert answer.headers["Access-Control-Allow-Headers"] == (
        "Authorization, Content-Type, X-Namespace"
    )
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer guess"}, 401),
        ({"Authorization": "s3cret"}, 401),
        ({**TOKEN, "Origin": "https://elsewhere.example"}, 403),
        ({**TOKEN, "Origin": "null"}, 403),
    ],
)
async def test_nobody_else_is_answered(
    client: Client, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/decode", json=PLAIN, headers=headers)

    assert answer.status == status
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert text64('{"a": "Ada"}') not in await answer.text()


async def test_a_page_of_another_origin_is_refused_before_it_asks(client: Client) -> None:
    answer = await client.options("/decode", headers={"Origin": "https://elsewhere.example"})

    assert answer.status == 403


async def test_what_cannot_be_decoded_says_why(client: Client) -> None:
    other = EncryptionCodec(KeyRing((EncryptionKey("k2", bytes(32)),)))
    async with TestClient(TestServer(codec_application(other, [UI]))) as its_client:
        encoded = await (await its_client.post("/encode", json=PLAIN)).json()

    unknown = await client.post("/decode", json=encoded, headers={**TOKEN, "Origin": UI})
    garbage = await client.post("/decode", data=b"{", headers=TOKEN)
    nowhere = await client.post("/else", headers={**TOKEN, "Origin": UI})

    assert (unknown.status, garbage.status, nowhere.status) == (400, 400, 404)
    assert "encrypted by the key 'k2'" in await unknown.text()
    assert unknown.headers["Access-Control-Allow-Origin"] == UI
    assert "is no Payloads as JSON" in await garbage.text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "codec.example", "192.0.2.1"])  # noqa: S104
def test_nothing_is_served_to_others_without_a_token(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.delenv("HATCHET_CODEC_TOKEN", raising=False)

    with pytest.raises(CommandError, match="set HATCHET_CODEC_TOKEN") as caught:
        codec_server(host=host, port=0)

    assert caught.value.code is ExitCode.USAGE


def test_without_keys_there_is_nothing_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HATCHET_ENCRYPTION_KEYS", "HATCHET_ENCRYPTION_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(CommandError, match="set HATCHET_ENCRYPTION_KEYS or") as caught:
        codec_server(host="127.0.0.1", port=0)

    assert caught.value.code is ExitCode.USAGE


async def test_requests_are_counted_by_what_became_of_them() -> None:
    counts = CodecCounts()

    class Broken(EncryptionCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            raise RuntimeError("a fault")

    application = codec_application(Broken(KeyRing((KEY,))), [UI], "s3cret", counts)
    async with TestClient(TestServer(application)) as its_client:
        await its_client.post("/decode", json=PLAIN, headers=TOKEN)
        await its_client.post("/decode", data=b"{", headers=TOKEN)
        await its_client.post("/decode", json=PLAIN)
        await its_client.post("/decode", json=PLAIN, headers={**TOKEN, "Origin": "null"})
        await its_client.options("/decode", headers={"Origin": UI})
        await its_client.post("/else", json=PLAIN, headers=TOKEN)
        with capture_logs() as logs:
            crashed = await its_client.post("/encode", json=PLAIN, headers={**TOKEN, "Origin": UI})

    assert {key: count for key, count in counts.requests.items() if count} == {
        ("decode", "converted"): 1,
        ("decode", "unreadable"): 1,
        ("decode", "refused"): 2,
        ("encode", "failed"): 1,
    }
    assert counts.requests.keys() == set(product(OPERATIONS, OUTCOMES))
    assert (crashed.status, crashed.headers["Access-Control-Allow-Origin"]) == (500, UI)
    assert [record["event"] for record in logs] == ["codec.crashed"]


async def test_the_end_does_not_wait_for_a_body_that_does_not_come() -> None:
    """By default it would be a minute, in which whoever stops us has killed us."""
    head = b"POST /decode HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    application = codec_application(CODEC, [UI])
    async with asyncio.timeout(30):
        async with serving_codec(application, "127.0.0.1", 0, grace_seconds=0.1) as address:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", int(address.rpartition(":")[2])
            )
            writer.write(head)
            assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    writer.close()


async def test_an_address_that_is_taken_is_told() -> None:
    application = codec_application(CODEC, [UI])
    async with serving_codec(application, "127.0.0.1", 0) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(CommandError, match=f"cannot listen on 127.0.0.1, port {port}: "):
            async with serving_codec(codec_application(CODEC, [UI]), "127.0.0.1", port):
                pass


async def test_operators_are_told_how_it_is() -> None:
    counts, stop = CodecCounts(), asyncio.Event()
    counts.requests["decode", "refused"] += 3

    async def get(session: ClientSession, port: int, path: str) -> tuple[int, str]:
        async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    with capture_logs() as logs:
        async with codec_ops(OpsAddress("127.0.0.1", 0), counts, stop), ClientSession() as session:
            port = int(logs[0]["address"].rpartition(":")[2])
            assert await get(session, port, "/livez") == (200, "ok\n")
            assert (await get(session, port, "/readyz"))[0] == 200
            stop.set()
            assert (await get(session, port, "/readyz"))[0] == 503
            _, metrics = await get(session, port, "/metrics")

    assert 'hatchet_codec_requests_total{operation="decode",outcome="refused"} 3.0' in metrics
    assert "hatchet_codec_ready 0.0" in metrics
    assert "hatchet_codec_trouble" not in metrics
