"""The errors of this package; each one's docstring is its default message."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Final

__all__ = [
    "IntegrationError",
    "InvalidInput",
    "InvalidOutput",
    "LocalStepLost",
    "MissingSecret",
    "NamespaceNotFound",
    "NoContext",
    "NonRetryable",
    "OutcomeUnknown",
    "Retry",
    "SettingsError",
    "StepTimedOut",
    "TemporalUnreachable",
    "UndecryptablePayload",
    "UnknownAction",
    "UnknownEncryptionKey",
    "UnknownIntegration",
    "UnknownSecret",
    "UnreadableJob",
    "UnreadableSecret",
    "UnsuitableMode",
    "WorkerError",
]

_LEAST_DELAY: Final = timedelta(milliseconds=1)  # for Temporal, none at all means no wish


class WorkerError(Exception):
    """Something is wrong with a worker, its integrations or its surroundings."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class IntegrationError(WorkerError, TypeError):
    """An integration is not written as one must be."""


class UnknownIntegration(WorkerError, LookupError):
    """No installed package has an integration of that id."""


class MissingSecret(IntegrationError):
    """A secret that an integration needs is not there."""


class NonRetryable(WorkerError):
    """The step cannot succeed, however often it is tried.

    Raise it, or a subclass of your own, from an action: the step then fails at once, whatever its
    retry policy says.
    """


class Retry(WorkerError):
    """The step is to be tried again.

    Raise it from an action that was told when to come back, as by ``429`` with ``Retry-After``:
    ``after``, seconds or a timedelta, then replaces the wait of the step's retry policy. How often
    it is tried stays as the policy says.

    From an at-most-once action it says that nothing was done: the action is called again, by the
    same worker, while the step's timeout lasts.
    """

    def __init__(
        self, message: str | None = None, *, after: float | timedelta | None = None
    ) -> None:
        wait = timedelta(seconds=after) if isinstance(after, (int, float)) else after
        self.after = None if wait is None else max(wait, _LEAST_DELAY)
        super().__init__(message or "The step is to be tried again.")


class NoContext(WorkerError, LookupError):
    """No step is running here: `current_context` is for what an action calls.

    In a unit test, call it inside ``with use_context(Context()):``.
    """


class InvalidInput(NonRetryable, ValueError):
    """The action was given data that it cannot take."""


class InvalidOutput(NonRetryable, ValueError):
    """The action put out something that is not JSON, or that is too large."""


class UnknownAction(NonRetryable, LookupError):
    """No integration of this worker has the action."""


class OutcomeUnknown(NonRetryable):
    """A former attempt may have done the action's work, and it must not be done twice."""


class UnsuitableMode(NonRetryable, ValueError):
    """The action cannot run as a local step, which is run again when its worker is lost."""


class LocalStepLost(WorkerError):
    """The worker stopped before a local step was done: the job goes on elsewhere.

    What its local steps did since Temporal last recorded anything is done again there.
    """


class UnknownSecret(NonRetryable, LookupError):
    """No provider has the secret called ``name``; ``places`` are where it was looked for."""

    def __init__(self, name: str, places: tuple[str, ...]) -> None:
        self.name = name
        self.places = places
        looked = f"looked for in {' and '.join(places)}" if places else "this worker has none"
        super().__init__(f"there is no secret {name!r}: {looked}")


class UnreadableSecret(NonRetryable, ValueError):
    """A secret is there, but is not what a secret must be."""


class UnreadableJob(WorkerError, ValueError):
    """A job's input is of another release of Hatchet, which this worker cannot read."""


class UnknownEncryptionKey(WorkerError, LookupError):
    """Data in Temporal was encrypted by a key that is not among ``known``, the ids of ours."""

    def __init__(self, key_id: str, known: tuple[str, ...]) -> None:
        self.key_id = key_id
        self.known = known
        ours = f"among those given ({', '.join(map(repr, known))})" if known else "given at all"
        super().__init__(
            f"data in Temporal is encrypted by the key {key_id!r}, which is not {ours}: "
            "add it to HATCHET_ENCRYPTION_KEYS, or to the file of HATCHET_ENCRYPTION_KEYS_FILE"
        )


class UndecryptablePayload(WorkerError, ValueError):
    """Data in Temporal is not what the key it names has encrypted; ``reason`` says why."""

    def __init__(self, key_id: str, reason: str) -> None:
        self.key_id = key_id
        self.reason = reason
        super().__init__(f"data in Temporal cannot be decrypted by the key {key_id!r}: {reason}")


class StepTimedOut(WorkerError, TimeoutError):
    """The action took longer than its step may."""


class SettingsError(WorkerError, ValueError):
    """The settings of the Temporal client, from the environment or a file, are not valid."""


_START_TEMPORAL: Final = (
    "Start a server there (hatchet dev, or temporal server start-dev), "
    "or set TEMPORAL_ADDRESS to where one is"
)


class TemporalUnreachable(WorkerError, ConnectionError):
    """Temporal cannot be reached at ``address``; ``reason`` says why, and ``mend`` what to do."""

    def __init__(self, address: str, reason: str, *, mend: str | None = _START_TEMPORAL) -> None:
        self.address = address
        self.reason = reason
        tail = f". {mend}" if mend else ""
        super().__init__(f"cannot reach Temporal at {address}: {reason}{tail}")


class NamespaceNotFound(WorkerError, LookupError):
    """Temporal at ``address`` has no namespace called ``namespace``."""

    def __init__(self, address: str, namespace: str) -> None:
        self.address = address
        self.namespace = namespace
        super().__init__(
            f"Temporal at {address} has no namespace {namespace!r}. "
            "Create it (temporal operator namespace create), or set TEMPORAL_NAMESPACE"
        )
