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
    "publishing_failures",
    "read_settings",
    "read_temporal_settings",
    "request_failures",
    "temporal_failures",
]


def read_settings(**overrides: Any) -> RouterSettings:
    """Return the settings of a router, with those ``overrides`` that are not None.

    Raises:
        CommandError: a file or a value cannot be used.

    """
    from hatchet_cli.settings.environment import read_model
    from hatchet_router.settings import RouterSettings

    return read_model(RouterSettings, **overrides)


def read_temporal_settings() -> TemporalSettings:
    """Return where the environment says that Temporal is.

    Raises:
        CommandError: a variable has an unusable value.

    """
    from hatchet_cli.settings.environment import complete_environment
    from hatchet_worker.connection import TemporalSettings

    complete_environment()
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

    settings = read_temporal_settings()
    with temporal_failures():
        return await connect(settings)


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
def publishing_failures() -> Generator[None]:
    """Say why an event is not published in the block as a `CommandError`."""
    from hatchet_router.errors import EventUnroutable, InvalidEvent

    with broker_failures():
        try:
            yield
        except InvalidEvent as error:
            raise CommandError(str(error), ExitCode.USAGE) from error
        except EventUnroutable as error:
            raise CommandError(str(error), ExitCode.NOTHING_MATCHED) from error


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
