"""E-mail to a real SMTP server on this machine, and to one that says what a test tells it to."""

from __future__ import annotations

import asyncio
import base64
import ssl
import sys
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP as Server  # noqa: N811 - there are two
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from hatchet_worker import Context, IntegrationError, InvalidInput, NonRetryable, use_context
from hatchet_worker.integrations._extras import MissingExtra
from hatchet_worker.integrations.smtp import SMTP
from hatchet_worker.provider_errors import ProviderFailed, Refused, Throttled, Unreachable

EMAIL = {"to": "ada@example.com", "from": "us@example.org", "subject": "Grüße", "text": "Hi\n.\nx"}


class Mailbox:
    """Keeps what it is sent; ``replies`` say something else, by the command's name."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.replies: dict[str, str] = {}
        self.users: list[tuple[str, str]] = []
        self.tls: list[bool] = []
        self.port = 0

    async def handle_MAIL(  # noqa: N802 - a name of aiosmtpd
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender."""
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient."""
        envelope.rcpt_tos.append(address)
        return self.replies.get(address, "250 OK")

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message; or hang up when it is there."""
        self.tls.append(session.ssl is not None)
        self.taken.append(envelope)
        if self.replies.get("DATA") == "":
            server.transport.abort()  # type: ignore[union-attr]
        return self.replies.get("DATA", "250 taken as 4711")

    def login(
        self, server: Server, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Let ada in."""
        assert isinstance(data, LoginPassword)
        self.users.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"s3cret-password")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
async def start() -> AsyncIterator[Any]:
    servers: list[asyncio.Server] = []

    async def started(implicit: ssl.SSLContext | None = None, **options: Any) -> Mailbox:
        mailbox = Mailbox()
        loop = asyncio.get_running_loop()

        def protocol() -> Server:
            return Server(
                mailbox, hostname="localhost", loop=loop, authenticator=mailbox.login, **options
            )

        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=implicit)
        servers.append(server)
        mailbox.port = server.sockets[0].getsockname()[1]
        return mailbox

    yield started
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def plain(start: Any) -> Mailbox:
    """A server without encryption."""
    mailbox: Mailbox = await start()
    return mailbox


def made(mailbox: Mailbox, **options: Any) -> SMTP:
    return SMTP(**{"host": "localhost", "port": mailbox.port, "security": "none", **options})


async def sent(smtp: SMTP, **fields: Any) -> Any:
    data = {name: value for name, value in {**EMAIL, **fields}.items() if value is not None}
    context = Context(idempotency_key="k-1", secrets={"SMTP_PASSWORD": "s3cret-password"})
    with use_context(context):
        return await smtp.perform_action("send-email", data)  # type: ignore[misc]


def message_in(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


async def test_an_email_comes_as_it_was_written(plain: Mailbox) -> None:
    answer = await sent(
        made(plain),
        to=["Åda <ada@example.com>", "bob@example.com"],
        cc="cy@example.com",
        bcc=["dee@example.com", "ada@example.com"],
        reply_to="eve@example.com\n",
        html="<p>Hi</p>",
        attachments=[
            {"name": "grüß.pdf", "base64": "AAH/", "content_type": "application/pdf"},
        ],
    )

    [envelope] = plain.taken
    message = message_in(envelope)
    assert answer.model_dump() == {"message_id": "<k-1@example.org>", "response": "taken as 4711"}
    assert envelope.mail_from == "us@example.org"
    assert envelope.rcpt_tos == [f"{name}@example.com" for name in ("ada", "bob", "cy", "dee")]
    assert message["Message-ID"] == "<k-1@example.org>"
    assert message["Subject"] == "Grüße"
    assert str(message["To"]) == "Åda <ada@example.com>, bob@example.com"
    assert message["Reply-To"] == "eve@example.com"
    assert "dee" not in str(message)
    assert message["Date"]
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Hi\r\n.\r\nx\r\n"
    assert html.get_content() == "<p>Hi</p>\r\n"
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == "grüß.pdf"
    assert attachment.get_content() == base64.b64decode("AAH/")


async def test_starttls_comes_before_the_password(
    start: Any, tls: ssl.SSLContext, ca_file: str
) -> None:
    mailbox = await start(tls_context=tls, require_starttls=True, auth_require_tls=True)

    await sent(made(mailbox, security="starttls", user="ada", ca_file=ca_file))

    assert mailbox.users == [("ada", "s3cret-password")]
    assert mailbox.tls == [True]


async def test_tls_may_be_there_from_the_first_byte(
    start: Any, tls: ssl.SSLContext, ca_file: str
) -> None:
    mailbox = await start(implicit=tls, auth_require_tls=False)

    await sent(made(mailbox, security="tls", user="ada", ca_file=ca_file))

    assert mailbox.users == [("ada", "s3cret-password")]


@pytest.mark.parametrize("user", [None, "ada"])
async def test_a_server_without_starttls_gets_nothing(
    start: Any, ca_file: str, user: str | None
) -> None:
    """Neither the e-mail nor the password: somebody between may have taken the word out."""
    mailbox = await start(auth_require_tls=False)

    with pytest.raises(Refused, match="STARTTLS"):
        await sent(made(mailbox, security="starttls", user=user, ca_file=ca_file))

    assert (mailbox.taken, mailbox.users) == ([], [])


async def test_a_server_that_nobody_vouches_for_gets_nothing(
    start: Any, tls: ssl.SSLContext
) -> None:
    mailbox = await start(tls_context=tls)

    with pytest.raises(Unreachable, match="certificate verify failed"):
        await sent(made(mailbox, security="starttls", user="ada"))

    assert (mailbox.taken, mailbox.users) == ([], [])


async def test_a_wrong_password_is_told_and_not_shown(
    start: Any, tls: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = await start(tls_context=tls)
    monkeypatch.setattr(mailbox, "login", lambda *_: AuthResult(success=False, handled=False))
    smtp = made(mailbox, security="starttls", user="ada", ca_file=ca_file)

    with pytest.raises(Refused, match="smtp: 535: ") as caught:
        await sent(smtp)

    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("replies", "raised", "message"),
    [
        ({"MAIL": "450 slow"}, Throttled, "smtp: 450: us@example.org: slow"),
        ({"MAIL": "550 no"}, Refused, "smtp: 550: us@example.org: no"),
        ({"bob@example.com": "451 greylisted"}, Throttled, "451: bob@example.com: greylisted"),
        ({"bob@example.com": "550 unknown"}, Refused, "550: bob@example.com: unknown"),
        ({"DATA": "452 full"}, Throttled, "smtp: 452: full"),
        ({"DATA": "554 spam"}, Refused, "smtp: 554: spam"),
        ({"DATA": ""}, ProviderFailed, "smtp: Unexpected EOF"),
    ],
)
async def test_replies_are_sorted(
    plain: Mailbox, replies: dict[str, str], raised: type[Exception], message: str
) -> None:
    """One recipient who is refused is the whole e-mail refused."""
    plain.replies = replies

    with pytest.raises(raised, match=message):
        await sent(made(plain), to=["ada@example.com", "bob@example.com"])

    assert len(plain.taken) == ("DATA" in replies)


async def test_who_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="connecting to localhost on port 1"):
        await sent(SMTP(host="localhost", port=1, security="none"))


@pytest.mark.parametrize("talks", [False, True])
async def test_a_server_that_falls_silent_before_the_text_has_taken_nothing(
    monkeypatch: pytest.MonkeyPatch,
    talks: bool,  # noqa: FBT001 - of the test's cases
) -> None:
    monkeypatch.setattr("hatchet_worker.integrations.smtp._TIMEOUT_SECONDS", 0.2)
    over = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if talks:
            writer.write(b"220 hello\r\n")
            await reader.readline()
            writer.write(b"250 localhost\r\n")
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    smtp = SMTP(host="localhost", port=server.sockets[0].getsockname()[1], security="none")

    with pytest.raises(Unreachable):
        await sent(smtp)

    over.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subject": "a\r\nBcc: b@example.com"}, "subject: .*expected one line"),
        ({"to": "a@example.com\r\nRCPT TO:<b@example.com>"}, "to.*: .*expected"),
        ({"to": "Ada\n <a@example.com>"}, "expected one line"),
        ({"reply_to": "a@example.com, b@example.com"}, "reply_to: "),
        ({"to": []}, "to"),
        ({"to": "ada@exämple.com"}, "letters beyond ASCII: write the domain as xn--"),
        ({"from": None}, "from: Field required; or .* HATCHET_SMTP_SENDER"),
        ({"attachments": [{"name": "a\nb", "base64": ""}]}, r"attachments\[0\].name"),
        ({"attachments": [{"name": "a", "base64": "ä"}]}, "expected base64"),
        ({"attachments": [{"name": "a", "base64": "", "content_type": "x"}]}, "a media type"),
        ({"subjekt": "x"}, "subjekt: Extra inputs"),
    ],
)
async def test_what_is_wrong_is_told_before_a_connection_is_made(
    plain: Mailbox, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        await sent(SMTP(host="localhost", port=1, security="none"), **fields)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"security": "ssl"}, "'ssl': expected starttls, tls, none"),
        ({"port": 0}, "HATCHET_SMTP_PORT"),
        ({"security": "none", "user": "ada"}, "no password is sent without encryption"),
        ({"ca_file": "/nowhere/ca.pem"}, "HATCHET_SMTP_CA_FILE"),
    ],
)
def test_wrong_options_are_told_when_it_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(IntegrationError, match=message):
        SMTP(**{"host": "localhost", **options})


async def test_without_a_server_the_error_says_where_to_name_it() -> None:
    """It is made all the same, so that what it does can be read."""
    with pytest.raises(NonRetryable, match="set HATCHET_SMTP_HOST"):
        await sent(SMTP())


def test_without_aiosmtplib_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtplib", None)

    with pytest.raises(MissingExtra, match=r"'hatchet-workflows\[smtp\]'"):
        SMTP(host="localhost")


def test_options_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, ca_file: str, tmp_path: Path
) -> None:
    for name, value in {
        "HOST": "mail",
        "SECURITY": "tls",
        "USER": "ada",
        "CA_FILE": ca_file,
    }.items():
        monkeypatch.setenv(f"HATCHET_SMTP_{name}", value)

    smtp = SMTP(secret="RELAY_PASSWORD")

    assert (smtp._host, smtp._port, smtp.secrets) == ("mail", 465, ("RELAY_PASSWORD",))
    assert SMTP(user="", security="none").secrets == ()
