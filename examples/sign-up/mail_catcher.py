"""Postmark's API on this machine: it takes e-mail made of templates, and catches it.

Each is printed and left as a file that a mail program opens; none is sent anywhere.
"""

from __future__ import annotations

import json
import re
import threading
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TEMPLATES = {
    "welcome": (
        "Welcome, {firstName}",
        "Hello {firstName},\n\nyour account is ready, and so is a sandbox to try things in.\n",
    )
}


class MailCatcher:
    """Listens on a free port of this machine from the moment it is made; ``url`` is where."""

    def __init__(self, outbox: Path, token: str) -> None:
        self._outbox = outbox
        self._token = token
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                token = self.headers["X-Postmark-Server-Token"]
                status, answer = catcher.answer(self.path, token, request)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: the mail itself is shown."""

        return Handler

    def answer(
        self, path: str, token: str | None, request: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """Return what Postmark answers, as its documentation has it."""
        if token != self._token:
            return 401, {"ErrorCode": 10, "Message": "No valid API token."}
        template = TEMPLATES.get(request.get("TemplateAlias", ""))
        if path != "/email/withTemplate" or template is None:
            return 422, {"ErrorCode": 1101, "Message": "No such template."}
        mail = self._catch(request, *template)
        return 200, {
            "To": mail["To"],
            "MessageID": mail["Message-ID"],
            "SubmittedAt": "2026-01-01T00:00:00Z",
            "ErrorCode": 0,
            "Message": "OK",
        }

    def _catch(self, request: dict[str, Any], subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = request["From"]
        mail["To"] = request["To"]
        mail["Subject"] = subject.format(**request["TemplateModel"])
        name = re.sub(r"[^A-Za-z0-9@_-]", "_", request["To"])[:100]
        mail["Message-ID"] = f"<{name}>"
        mail.set_content(text.format(**request["TemplateModel"]))
        self._outbox.mkdir(parents=True, exist_ok=True)
        file = self._outbox / f"{name}.eml"
        file.write_bytes(bytes(mail))
        shown = f"To: {mail['To']}\nSubject: {mail['Subject']}\n\n{mail.get_content()}"
        lines = "\n".join(f"  │ {line}" for line in shown.rstrip().splitlines())
        print(f"  ✉ caught, and kept as {file}\n{lines}", flush=True)  # noqa: T201 - to be seen
        return mail
