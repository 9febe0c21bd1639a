"""Temporal's remote codec protocol, as a browser and a command line speak it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hatchet_cli.codec_server import codec_application
from hatchet_cli.commands.codec_server import codec_server
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_worker.encryption import EncryptionCodec
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing

Client = TestClient[web.Request, web.Application]

UI = "http://127.0.0.1:8233"
TOKEN = {"Authorization": "Bearer s3cret"}
CODEC = EncryptionCodec(KeyRing((EncryptionKey("k1", bytes(32)),)))


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
