"""Services on this machine that answer as those of AWS do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from hatchet_worker import Context

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "s3cret-key"}


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a stand-in for AWS, which all tests share."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_context() -> Context:
    """The context of a step whose integration has an access key by its secrets."""
    return Context(secrets=KEYS)


class Scripted:
    """A server that says what a test tells it to; ``status`` 0 is to hang up without a word."""

    def __init__(self) -> None:
        self.status = 200
        self.body = "{}"
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.url = ""

    def says(self, status: int, body: object, **headers: str) -> None:
        """Let it answer so from now on; ``body`` is a text or becomes JSON."""
        self.status = status
        self.body = body if isinstance(body, str) else json.dumps(body)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def scripted(scripted_server: Scripted) -> Scripted:
    """A service that fails as documented, where the stand-in never does."""
    scripted_server.says(200, {})
    scripted_server.asked.clear()
    return scripted_server


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[Scripted]:
    """The server behind `scripted`, which all tests share."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            octets = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_json = "json" in self.headers.get("Content-Type", "") or octets[:1] == b"{"
            body = json.loads(octets) if is_json and octets else octets
            script.asked.append((self.command, self.path, body))
            if script.status:
                self.send_response(script.status)
                for name, value in script.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(script.body)))
                self.end_headers()
                self.wfile.write(script.body.encode())
            self.close_connection = True

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()
