"""The errors of this package; each one's docstring is its default message."""

from __future__ import annotations

import inspect

__all__ = [
    "IntegrationError",
    "InvalidInput",
    "InvalidOutput",
    "NamespaceNotFound",
    "NonRetryable",
    "SettingsError",
    "StepTimedOut",
    "TemporalUnreachable",
    "UnknownAction",
    "WorkerError",
]


class WorkerError(Exception):
    """Something is wrong with a worker, its integrations or its surroundings."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class IntegrationError(WorkerError, TypeError):
    """An integration is not written as one must be."""


class NonRetryable(WorkerError):
    """The step cannot succeed, however often it is tried.

    Raise it, or a subclass of your own, from an action: the step then fails at once, whatever its
    retry policy says.
    """


class InvalidInput(NonRetryable, ValueError):
    """The action was given data that it cannot take."""


class InvalidOutput(NonRetryable, ValueError):
    """The action returned something that is not a JSON object, or that is too large."""


class UnknownAction(NonRetryable, LookupError):
    """No integration of this worker has the action."""


class StepTimedOut(WorkerError, TimeoutError):
    """The action took longer than its step may."""


class SettingsError(WorkerError, ValueError):
    """The settings of the Temporal client, from the environment or a file, are not valid."""


class TemporalUnreachable(WorkerError, ConnectionError):
    """Temporal cannot be reached at ``address``; ``reason`` says why."""

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(
            f"cannot reach Temporal at {address}: {reason}. "
            "Start a server there (hatchet dev, or temporal server start-dev), "
            "or set TEMPORAL_ADDRESS to where one is"
        )


class NamespaceNotFound(WorkerError, LookupError):
    """Temporal at ``address`` has no namespace called ``namespace``."""

    def __init__(self, address: str, namespace: str) -> None:
        self.address = address
        self.namespace = namespace
        super().__init__(
            f"Temporal at {address} has no namespace {namespace!r}. "
            "Create it (temporal operator namespace create), or set TEMPORAL_NAMESPACE"
        )
