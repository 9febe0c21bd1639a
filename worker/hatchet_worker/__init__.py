"""The worker: runs the jobs that the router starts, with integrations that you write."""

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
