"""E-mail by SMTP, through a mail server of one's own or of any provider."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final, Literal, get_args

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError, NonRetryable
from hatchet_worker.http_sessions import call_seconds
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._email import required
from hatchet_worker.integrations._extras import extra
from hatchet_worker.integrations._mime import Envelope, MimeEmail, envelope_of
from hatchet_worker.integrations._models import Result
from hatchet_worker.integrations._options import option
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
)

if TYPE_CHECKING:
    import aiosmtplib

__all__ = ["SMTP", "Security"]

Security = Literal["starttls", "tls", "none"]
"""How the connection is encrypted: after it is made, from its first byte, or not at all."""

_PORTS: Final[dict[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT_SECONDS: Final = 30.0
_QUIT_SECONDS: Final = 2.0
_LEAST_SECONDS: Final = 0.1
_TRANSIENT: Final = range(400, 500)


class SentEmail(Result):
    """The e-mail that the server took."""

    message_id: str
    """Its Message-ID, the same in each attempt at this step, so that duplicates can be told."""

    response: str
    """What the server said, which often names its own id of the message."""


class SMTP(Integration):
    """Sends e-mail through an SMTP server.

    ``security`` says how the connection is encrypted: ``starttls`` (port 587, if no other is said),
    ``tls`` (465) or ``none`` (25). Where ``user`` is set, the secret that ``secret`` names is the
    password, which no connection without encryption gets. ``ca_file`` has certificates of
    authorities to trust in place of the system's. ``sender`` is for steps that name none. Arguments
    that are None come from HATCHET_SMTP_HOST, HATCHET_SMTP_PORT, HATCHET_SMTP_SECURITY,
    HATCHET_SMTP_USER, HATCHET_SMTP_SENDER and HATCHET_SMTP_CA_FILE.
    """

    id = "smtp"

    def __init__(
        self,
        *,
        id: str = "smtp",  # noqa: A002 - as in the base class
        secret: str = "SMTP_PASSWORD",  # noqa: S107 - a name
        host: str | None = None,
        port: int | None = None,
        security: Security | None = None,
        user: str | None = None,
        sender: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        with extra("smtp"):
            import aiosmtplib
        self._new_client = aiosmtplib.SMTP
        self.id = id
        self.sender = option(sender, "HATCHET_SMTP_SENDER")
        self._host = option(host, "HATCHET_SMTP_HOST")
        self._security = _security(security)
        self._port = _port(port, self._security)
        self._user = option(user, "HATCHET_SMTP_USER") or None
        if self._user is not None:
            if self._security == "none":
                raise IntegrationError(
                    "integration smtp: no password is sent without encryption: set "
                    "HATCHET_SMTP_SECURITY (security) to starttls or tls, or no user"
                )
            self.secrets = (secret,)
        self._tls = _tls(option(ca_file, "HATCHET_SMTP_CA_FILE"))

    @action("send-email", semantics="at-most-once")
    async def send_email(self, email: MimeEmail, context: Context) -> SentEmail:
        """Send an e-mail, to all of its recipients or to none.

        A server that asks to come back later (a reply from 400 on) has taken nothing, and the step
        tries again; so it does where no connection is made. A server that refuses the sender, one
        of the recipients or the text (from 500 on) fails the step. So does a connection that is
        lost when the text was sent: nobody knows then whether the e-mail was taken.
        """
        if self._host is None:
            raise NonRetryable(
                "integration smtp has no server: on the worker, set HATCHET_SMTP_HOST (host)"
            )
        sender = email.sender or required(self.sender, "from", "SMTP")
        # Encoding the names of many recipients takes long.
        envelope = await asyncio.to_thread(envelope_of, email, sender, context.idempotency_key)
        seconds = call_seconds(context, _TIMEOUT_SECONDS)
        deadline = asyncio.get_running_loop().time() + seconds
        async with self._connected(context, deadline) as server:
            with _sorted_errors(self.id, Unreachable):
                async with asyncio.timeout_at(deadline):
                    await self._announce(server, envelope)
            with _sorted_errors(self.id, ProviderFailed):
                async with asyncio.timeout_at(deadline):
                    response = await server.data(envelope.octets)
        return SentEmail(message_id=envelope.message_id, response=response.message)

    @asynccontextmanager
    async def _connected(
        self, context: Context, deadline: float
    ) -> AsyncGenerator[aiosmtplib.SMTP]:
        import aiosmtplib

        password = context.secrets[self.secrets[0]] if self._user is not None else None
        server = self._new_client(
            hostname=self._host,
            port=self._port,
            timeout=_TIMEOUT_SECONDS,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._tls,
            username=self._user,
            password=password,
        )
        with _sorted_errors(self.id, Unreachable):
            async with asyncio.timeout_at(deadline):
                await server.connect()
        listens = True
        try:
            yield server
        except (Unreachable, ProviderFailed):
            listens = False
            raise
        finally:
            # The e-mail was taken or not by now: how the talk ends changes nothing.
            with suppress(aiosmtplib.SMTPException, OSError):
                if listens:
                    left = deadline - asyncio.get_running_loop().time()
                    await server.quit(timeout=max(min(_QUIT_SECONDS, left), _LEAST_SECONDS))
            server.close()

    async def _announce(self, server: aiosmtplib.SMTP, envelope: Envelope) -> None:
        """Name the sender and the recipients; the server has taken nothing when this raises."""
        await server.mail(envelope.sender)
        for recipient in envelope.recipients:
            await server.rcpt(recipient)


@contextmanager
def _sorted_errors(provider: str, lost: type[ProviderError]) -> Generator[None]:
    """Raise what aiosmtplib raises as the error of a provider; ``lost`` where the line is lost.

    Raises:
        ProviderError: of the kind that says what a second try would do.

    """
    import aiosmtplib

    try:
        yield
    except aiosmtplib.SMTPResponseException as error:
        kind = Throttled if error.code in _TRANSIENT else Refused
        message = error.message
        if isinstance(error, (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPSenderRefused)):
            whom = error.args[-1]
            message = f"{whom}: {message}"
        # Without its cause, which can hold what was sent to log in.
        raise kind(provider, message, code=str(error.code)) from None
    except aiosmtplib.SMTPConnectError as error:
        raise Unreachable(provider, error.message) from error
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
        raise lost(provider, error.message) from error
    except aiosmtplib.SMTPException as error:  # the server lacks STARTTLS, AUTH or a method of it
        raise Refused(provider, error.message) from None
    except OSError as error:  # TimeoutError is one, too
        raise lost(provider, str(error) or "no answer in time") from error


def _security(given: Security | None) -> Security:
    text = option(given, "HATCHET_SMTP_SECURITY", "starttls")
    for security in _PORTS:
        if text == security:
            return security
    raise IntegrationError(
        f"HATCHET_SMTP_SECURITY (security) is {text!r}: expected {', '.join(get_args(Security))}"
    )


def _port(given: int | None, security: Security) -> int:
    text = option(None if given is None else str(given), "HATCHET_SMTP_PORT", str(_PORTS[security]))
    if not text.isascii() or not text.isdecimal() or int(text) not in range(1, 65_536):
        raise IntegrationError(
            f"HATCHET_SMTP_PORT (port) is {text!r}: expected a number from 1 to 65535"
        )
    return int(text)


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one, too
        raise IntegrationError(
            f"HATCHET_SMTP_CA_FILE (ca_file), {ca_file!r}, cannot be read: {error}"
        ) from error
