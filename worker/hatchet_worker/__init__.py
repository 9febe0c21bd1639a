"""The worker: runs the jobs that the router starts, with integrations that you write."""

from typing import TYPE_CHECKING

from hatchet_schemas.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from hatchet_worker.actions import Outputs, action
    from hatchet_worker.connection import TemporalSettings, connect
    from hatchet_worker.context import Context, current_context, use_context
    from hatchet_worker.encryption_keys import EncryptionKey, KeyRing
    from hatchet_worker.errors import (
        IntegrationError,
        InvalidInput,
        InvalidOutput,
        MissingSecret,
        NamespaceNotFound,
        NoContext,
        NonRetryable,
        OutcomeUnknown,
        Retry,
        SettingsError,
        TemporalUnreachable,
        UndecryptablePayload,
        UnknownAction,
        UnknownEncryptionKey,
        UnknownIntegration,
        UnknownSecret,
        UnreadableSecret,
        WorkerError,
    )
    from hatchet_worker.integration import Integration, IntegrationLike
    from hatchet_worker.masked_logs import SecretFilter, SecretFormatter
    from hatchet_worker.registry import Registry
    from hatchet_worker.secrets import DirectorySecrets, EnvironmentSecrets, SecretProvider
    from hatchet_worker.worker import Worker
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "Context": "context",
            "DirectorySecrets": "secrets",
            "EncryptionKey": "encryption_keys",
            "EnvironmentSecrets": "secrets",
            "Integration": "integration",
            "IntegrationError": "errors",
            "IntegrationLike": "integration",
            "InvalidInput": "errors",
            "InvalidOutput": "errors",
            "KeyRing": "encryption_keys",
            "MissingSecret": "errors",
            "NamespaceNotFound": "errors",
            "NoContext": "errors",
            "NonRetryable": "errors",
            "OutcomeUnknown": "errors",
            "Outputs": "actions",
            "Registry": "registry",
            "Retry": "errors",
            "SecretFilter": "masked_logs",
            "SecretFormatter": "masked_logs",
            "SecretProvider": "secrets",
            "SettingsError": "errors",
            "TemporalSettings": "connection",
            "TemporalUnreachable": "errors",
            "UndecryptablePayload": "errors",
            "UnknownAction": "errors",
            "UnknownEncryptionKey": "errors",
            "UnknownIntegration": "errors",
            "UnknownSecret": "errors",
            "UnreadableSecret": "errors",
            "Worker": "worker",
            "WorkerError": "errors",
            "action": "actions",
            "connect": "connection",
            "current_context": "context",
            "use_context": "context",
        },
    )

__all__ = [
    "Context",
    "DirectorySecrets",
    "EncryptionKey",
    "EnvironmentSecrets",
    "Integration",
    "IntegrationError",
    "IntegrationLike",
    "InvalidInput",
    "InvalidOutput",
    "KeyRing",
    "MissingSecret",
    "NamespaceNotFound",
    "NoContext",
    "NonRetryable",
    "OutcomeUnknown",
    "Outputs",
    "Registry",
    "Retry",
    "SecretFilter",
    "SecretFormatter",
    "SecretProvider",
    "SettingsError",
    "TemporalSettings",
    "TemporalUnreachable",
    "UndecryptablePayload",
    "UnknownAction",
    "UnknownEncryptionKey",
    "UnknownIntegration",
    "UnknownSecret",
    "UnreadableSecret",
    "Worker",
    "WorkerError",
    "action",
    "connect",
    "current_context",
    "use_context",
]
