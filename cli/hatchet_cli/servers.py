"""Settings and server connections, with failures in the words of the command line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import PayloadCodec

    from hatchet_router.settings import RouterSettings
    from hatchet_worker.connection import TemporalSettings

__all__ = [
    "broker_failures",
    "connect_to_temporal",
    "encryption_codec",
    "read_settings",
    "read_temporal_settings",
    "request_failures",
    "temporal_failures",
]


def read_settings(**overrides: Any) -> RouterSettings:
    """Return the settings from the environment, with those ``overrides`` that are not None.

    Raises:
        CommandError: a variable has an unusable value.

    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from hatchet_router.settings import RouterSettings

    try:
        settings = RouterSettings()
        # Validated again, so that an option is checked as a variable is.
        given = {name: value for name, value in overrides.items() if value is not None}
        return RouterSettings.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        lines = [
            # What is wrong with several settings together names them itself.
            f"setting {'.'.join(map(str, item['loc'])).upper()}: {item['msg']}"
            if item["loc"]
            else item["msg"].removeprefix("Value error, ")
            for item in error.errors(include_input=False)
        ]
        raise CommandError("\n".join(lines), ExitCode.USAGE) from None
    except SettingsError as error:
        # It names the field, and lists and maps alone can be unreadable.
        field = str(error).partition('"')[2].partition('"')[0]
        raise CommandError(
            f"setting HATCHET_{field.upper()}: expected JSON", ExitCode.USAGE
        ) from None


def read_temporal_settings() -> TemporalSettings:
    """Return where the environment says that Temporal is.

    Raises:
        CommandError: a variable has an unusable value.

    """
    from hatchet_worker.connection import TemporalSettings

    with temporal_failures():
        return TemporalSettings.from_environment()


def encryption_codec() -> PayloadCodec:
    """Return what encrypts and decrypts by the keys in the environment.

    Raises:
        CommandError: there are none, they are unusable, or what encrypts is not installed.

    """
    with temporal_failures():
        keys = read_temporal_settings().keys
        if keys is None:
            raise CommandError(
                "there are no keys: set HATCHET_ENCRYPTION_KEYS or HATCHET_ENCRYPTION_KEYS_FILE",
                ExitCode.USAGE,
            )
        from hatchet_worker.connection import payload_codec

        return payload_codec(keys)


async def connect_to_temporal() -> Client:
    """Return a client for the Temporal server that the environment names.

    Raises:
        CommandError: its settings are unusable, it does not answer, or lacks the namespace.

    """
    from hatchet_worker.connection import connect

    with temporal_failures():
        return await connect()


@contextmanager
def broker_failures(refused: ExitCode = ExitCode.FINDINGS) -> Generator[None]:
    """Say what goes wrong with RabbitMQ in the block as a `CommandError`.

    ``refused`` is its code where RabbitMQ answers, and does not do what is asked of it.
    """
    from hatchet_router.errors import BrokerError, BrokerTlsUnusable, BrokerUnreachable

    try:
        yield
    except BrokerTlsUnusable as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    except BrokerUnreachable as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    except BrokerError as error:
        raise CommandError(str(error), refused) from error


@contextmanager
def temporal_failures() -> Generator[None]:
    """Say what goes wrong with Temporal in the block as a `CommandError`."""
    from hatchet_worker.errors import (
        MissingSecret,
        NamespaceNotFound,
        SettingsError,
        TemporalUnreachable,
        UndecryptablePayload,
        UnknownEncryptionKey,
        UnreadableSecret,
    )

    try:
        yield
    except TemporalUnreachable as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    except (
        MissingSecret,
        NamespaceNotFound,
        SettingsError,
        UndecryptablePayload,
        UnknownEncryptionKey,
        UnreadableSecret,
    ) as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


@contextmanager
def request_failures() -> Generator[None]:
    """Say what goes wrong with requests to Temporal in the block as a `CommandError`."""
    from temporalio.service import RPCError

    from hatchet_router.errors import ScheduleUnreadable
    from hatchet_router.temporal import Decision, decide

    try:
        with temporal_failures():
            yield
    except ScheduleUnreadable as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    except RPCError as error:
        away = decide(error.status) is Decision.TRY_AGAIN
        raise CommandError(
            f"a request to Temporal has failed, {error.status.name}: {error.message}",
            ExitCode.UNREACHABLE if away else ExitCode.FINDINGS,
        ) from error
