"""The worker: runs the jobs that the router starts, with integrations that you write."""

from hatchet_worker.actions import Outputs, action
from hatchet_worker.connection import TemporalSettings, connect
from hatchet_worker.errors import (
    IntegrationError,
    InvalidInput,
    InvalidOutput,
    NamespaceNotFound,
    NonRetryable,
    SettingsError,
    TemporalUnreachable,
    UnknownAction,
    WorkerError,
)
from hatchet_worker.integration import Integration, IntegrationLike
from hatchet_worker.registry import Registry
from hatchet_worker.worker import Worker

__all__ = [
    "Integration",
    "IntegrationError",
    "IntegrationLike",
    "InvalidInput",
    "InvalidOutput",
    "NamespaceNotFound",
    "NonRetryable",
    "Outputs",
    "Registry",
    "SettingsError",
    "TemporalSettings",
    "TemporalUnreachable",
    "UnknownAction",
    "Worker",
    "WorkerError",
    "action",
    "connect",
]
