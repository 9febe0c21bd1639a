"""The connection to Temporal."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig, RPCError, RPCStatusCode, TLSConfig

from hatchet_worker.encrypted import KeylessPayloadConverter
from hatchet_worker.encryption_keys import KeyRing, key_ring
from hatchet_worker.errors import NamespaceNotFound, SettingsError, TemporalUnreachable
from hatchet_worker.exiting import settle_at_exit
from hatchet_worker.runtime import CORE
from hatchet_worker.temporal_tls import check_authorities, own_fault, tls_reason

__all__ = ["TemporalSettings", "check", "connect", "payload_codec", "unreachable_workers"]

_CONNECT_SECONDS: Final = 15.0
_SWITCHES: Final = {
    **dict.fromkeys(["true", "yes", "on", "1"], "true"),
    **dict.fromkeys(["false", "no", "off", "0"], "false"),
}
_KEYLESS: Final = replace(pydantic_data_converter, payload_converter_class=KeylessPayloadConverter)
_NOT_VALIDATED: Final = "Worker validation failed"
# What temporalio's errors contain, and what it means to people.
_REASONS: Final = {
    "Connection refused": "nothing is listening there",
    "dns error": "the host's name is not known",
    "Timeout expired": "something is listening there, but does not answer",
}
_REFUSALS: Final = frozenset({RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED})
_REFUSAL_CODES: Final = ("code: Unauthenticated", "code: PermissionDenied")
_QUOTED: Final = re.compile(r'message: "([^"]*)"')
_LET_IN: Final = (
    "Check TEMPORAL_API_KEY, or the client certificate, and what it may do in TEMPORAL_NAMESPACE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalSettings:
    """Where Temporal is, and how to be let in. Secrets do not show in its ``repr``."""

    address: str = "localhost:7233"
    namespace: str = "default"
    api_key: str | None = field(default=None, repr=False)
    tls: bool | TLSConfig | None = field(default=None, repr=False)
    rpc_metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    keys: KeyRing | None = field(default=None, repr=False)
    """What encrypts the data that goes to Temporal, and decrypts what comes back."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)
    """The ``TEMPORAL_TLS_…`` variables that ``tls`` is made of, for what errors say."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return the settings that Temporal's own tools would use, too, and keys for encryption.

        These are the ``TEMPORAL_*`` variables and Temporal's configuration file, as
        `temporalio.envconfig` reads them, but that ``TEMPORAL_TLS=no`` means no.

        Raises:
            SettingsError: they contradict each other, or name a file or profile that is missing.

        """
        given = os.environ if environment is None else environment
        variables = {name: value for name, value in given.items() if value}
        if "TEMPORAL_TLS" in variables:
            variables["TEMPORAL_TLS"] = _switch(variables["TEMPORAL_TLS"])
        file = variables.get("TEMPORAL_CONFIG_FILE")
        if file and not Path(file).is_file():
            raise SettingsError(f"TEMPORAL_CONFIG_FILE names {file!r}, which is not a file")
        try:
            config: dict[str, Any] = {
                **ClientConfig.load_client_connect_config(override_env_vars=variables)
            }
        except (RuntimeError, ValueError, OSError) as error:
            raise SettingsError(f"the settings for Temporal are not valid: {error}") from None
        if "target_host" in config:
            config["address"] = config.pop("target_host")
        tls = config.get("tls")
        if isinstance(tls, TLSConfig):
            check_authorities(tls.server_root_ca_cert, variables)
        of_tls = {name: value for name, value in variables.items() if "_TLS_" in name}
        return cls(**config, keys=key_ring(variables), variables=of_tls)


async def connect(settings: TemporalSettings | None = None) -> Client:
    """Return a client of the Temporal at ``settings``, by default the environment's.

    It carries data as JSON, as pydantic models serialise, encrypted where there are keys.
    Temporal's native core logs to the Python logger ``temporalio.core``, never to stdout.

    Raises:
        SettingsError: the environment's settings are not valid, or the certificate and the key
            that they name are none.
        TemporalUnreachable: no Temporal answers there, or it does not let us in.
        NamespaceNotFound: it answers, but has no such namespace.

    """
    settle_at_exit()
    settings = settings or TemporalSettings.from_environment()
    data_converter = _data_converter(settings.keys)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            client = await Client.connect(
                settings.address,
                namespace=settings.namespace,
                api_key=settings.api_key,
                tls=settings.tls,
                rpc_metadata=settings.rpc_metadata,
                data_converter=data_converter,
                # By default 5 s pass between late attempts, and so after the end of an outage.
                retry_config=RetryConfig(max_interval_millis=2000),
                runtime=CORE.runtime,
            )
            await check(client)
    except TimeoutError:
        raise TemporalUnreachable(settings.address, _REASONS["Timeout expired"]) from None
    except (RuntimeError, ValueError) as error:
        raise _failure(settings, str(error)) from None
    return client


async def check(client: Client) -> None:
    """Return if Temporal answers, and has the namespace of ``client``.

    Raises:
        TemporalUnreachable: it does not, within 15 seconds.
        NamespaceNotFound: it answers, but has no such namespace.

    """
    address = client.service_client.config.target_host
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=client.namespace)
            )
    except TimeoutError:
        raise TemporalUnreachable(address, _REASONS["Timeout expired"]) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NamespaceNotFound(address, client.namespace) from None
        raise _unreachable(address, error.message, error.status) from None


@contextmanager
def unreachable_workers(client: Client) -> Generator[None]:
    """Raise `TemporalUnreachable` where Temporal goes away while workers of ``client`` start."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith(_NOT_VALIDATED):
            raise
        address = client.service_client.config.target_host
        raise _unreachable(address, str(error)) from None


def payload_codec(keys: KeyRing) -> PayloadCodec:
    """Return what encrypts and decrypts payloads.

    Raises:
        SettingsError: the extra ``encryption`` is not installed.

    """
    try:
        from hatchet_worker.encryption import EncryptionCodec  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SettingsError(
            "there are encryption keys, but what encrypts is not installed "
            f"({error}): pip install 'hatchet-workflows[encryption]'"
        ) from None
    return EncryptionCodec(keys)


def _data_converter(keys: KeyRing | None) -> DataConverter:
    if keys is None:
        return _KEYLESS
    return replace(
        _KEYLESS,
        payload_codec=payload_codec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _failure(settings: TemporalSettings, message: str) -> SettingsError | TemporalUnreachable:
    if settings.tls:
        fault = own_fault(message, settings.variables)
        if fault is not None:
            return SettingsError(fault)
        reason = tls_reason(message, settings.variables)
        if reason is not None:
            return TemporalUnreachable(settings.address, reason, mend=None)
    return _unreachable(settings.address, message)


def _unreachable(
    address: str, message: str, status: RPCStatusCode | None = None
) -> TemporalUnreachable:
    if status in _REFUSALS or any(code in message for code in _REFUSAL_CODES):
        told = _QUOTED.search(message)
        reason = (told[1] if told else message).rstrip(".")
        return TemporalUnreachable(address, f"it does not let us in ({reason})", mend=_LET_IN)
    return TemporalUnreachable(address, _reason(message))


def _switch(text: str) -> str:
    try:
        return _SWITCHES[text.lower()]
    except KeyError:
        raise SettingsError(f"TEMPORAL_TLS is {text!r}: expected true or false") from None


def _reason(message: str) -> str:
    for part, reason in _REASONS.items():
        if part in message:
            return reason
    return message.removeprefix("Failed client connect: ")
