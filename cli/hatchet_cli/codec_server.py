"""An endpoint that decrypts data for the Temporal UI and Temporal's command line.

It speaks Temporal's remote codec protocol (https://docs.temporal.io/codec-server): a POST to
``/encode`` or ``/decode`` with ``Payloads`` as the JSON of Protocol Buffers, which is answered
likewise.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from hatchet_cli.codec_counts import OPERATIONS, CodecCounts, CodecOutcome
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_worker.errors import UndecryptablePayload, UnknownEncryptionKey

__all__ = ["codec_application", "serving_codec"]

_MAX_BODY_BYTES: Final = 64 * 1024 * 1024  # a page of a history, as base64
_PREFLIGHT_SECONDS: Final = 600
_OUTCOMES: Final[dict[int, CodecOutcome]] = {
    200: "converted",
    401: "refused",
    403: "refused",
    500: "failed",
}
_ALLOWED_HEADERS: Final = "Authorization, Content-Type, X-Namespace"
_PRIVATE_NETWORK: Final = "Access-Control-{}-Private-Network"

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.codec")

Convert = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def codec_application(
    codec: PayloadCodec,
    origins: Sequence[str],
    token: str | None = None,
    counts: CodecCounts | None = None,
) -> web.Application:
    """Return the application; with ``token``, requests need it as their bearer token.

    ``origins`` are those of the web UIs that may ask. Whatever says that it is of another origin is
    refused, so that no other page in the same browser reaches a server on the same machine.
    """
    application = web.Application(
        middlewares=[_counting(counts or CodecCounts()), _guarding(frozenset(origins), token)],
        client_max_size=_MAX_BODY_BYTES,
    )
    application.router.add_post("/encode", _converting(codec.encode))
    application.router.add_post("/decode", _converting(codec.decode))
    return application


@asynccontextmanager
async def serving_codec(
    application: web.Application, host: str, port: int, *, grace_seconds: float = 5.0
) -> AsyncGenerator[str]:
    """Serve for the time of the block, and give the address; port 0 is any free one.

    Requests in hand at the end have ``grace_seconds`` more.

    Raises:
        CommandError: nothing can listen there.

    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=grace_seconds)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandError(
                f"cannot listen on {host}, port {port}: {reason}", ExitCode.USAGE
            ) from error
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _counting(counts: CodecCounts) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        operation = request.path.removeprefix("/")
        if request.method == hdrs.METH_POST and operation in OPERATIONS:
            counts.requests[operation, _OUTCOMES.get(response.status, "unreadable")] += 1
        return response

    return count


def _guarding(origins: frozenset[str], token: str | None) -> Middleware:
    """Return what lets in requests of the right origin and with the right token (Fetch, CORS)."""
    authorization = f"Bearer {token}".encode() if token else None

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in origins:
            _log.warning("codec.origin_refused", origin=origin)
            return web.Response(
                status=403, text=f"not for pages of {origin}: see hatchet codec-server --ui-origin"
            )
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode(errors="surrogateescape")
        if request.method == hdrs.METH_OPTIONS and origin is not None:
            response: web.StreamResponse = _preflight(request)
        elif authorization is None or hmac.compare_digest(given, authorization):
            response = await _answered(request, handler)
        else:
            response = web.Response(
                status=401,
                headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
                text="the bearer token is missing, or is not that of HATCHET_CODEC_TOKEN",
            )
        if origin is not None:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.VARY] = hdrs.ORIGIN
        return response

    return guard


def _preflight(request: web.Request) -> web.Response:
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: hdrs.METH_POST,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _ALLOWED_HEADERS,
        hdrs.ACCESS_CONTROL_MAX_AGE: str(_PREFLIGHT_SECONDS),
    }
    # How a page on the internet, as that of Temporal Cloud, asks for a server on this machine.
    if request.headers.get(_PRIVATE_NETWORK.format("Request")) == "true":
        headers[_PRIVATE_NETWORK.format("Allow")] = "true"
    return web.Response(status=204, headers=headers)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with the right headers, so that the page sees what was wrong, too."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=error.reason)
    except Exception:  # noqa: BLE001 - told whole here, since aiohttp's own records are not kept
        _log.exception("codec.crashed", path=request.path)
        return web.Response(status=500, text="a fault of the codec server: see its log")


def _converting(convert: Convert) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            asked = Parse(await request.read(), Payloads())
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400, text="the body breaks off")
        except (ParseError, UnicodeDecodeError) as error:
            return web.Response(status=400, text=f"the body is no Payloads as JSON: {error}")
        try:
            payloads = await convert(asked.payloads)
        except (UnknownEncryptionKey, UndecryptablePayload) as error:
            _log.warning("codec.failed", reason=str(error))
            return web.Response(status=400, text=str(error))
        return web.Response(
            text=MessageToJson(Payloads(payloads=payloads), indent=None),
            content_type="application/json",
        )

    return answer
