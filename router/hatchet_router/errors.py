"""The errors of this package."""

from __future__ import annotations

from hatchet_router.addresses import without_credentials

__all__ = [
    "BrokerError",
    "BrokerTlsUnusable",
    "BrokerUnreachable",
    "EventRefused",
    "EventUnroutable",
    "InvalidEvent",
    "JobRefused",
    "RouterError",
    "ScheduleUnreadable",
    "TemporalUnavailable",
]


class RouterError(Exception):
    """Something in the router or the Dispatcher went wrong."""


class BrokerError(RouterError):
    """RabbitMQ did not do what was asked of it."""


class BrokerUnreachable(BrokerError, ConnectionError):
    """RabbitMQ does not answer, or does not let us in; ``address`` bears no credentials."""

    def __init__(self, url: str, reason: str) -> None:
        self.address = without_credentials(url)
        self.reason = reason
        super().__init__(f"RabbitMQ at {self.address}: {reason}")


class BrokerTlsUnusable(BrokerUnreachable):
    """A certificate or key that the connection is to be made with is missing, or no such thing.

    It counts as unreachable since files are renewed under running programs: the next attempt may
    find both halves of a pair.
    """


class EventRefused(BrokerError):
    """RabbitMQ did not take the event: its queue is full, or the broker could not store it."""

    def __init__(self, key: str, event_id: str, reason: str) -> None:
        self.key = key
        self.event_id = event_id
        self.reason = reason
        super().__init__(f"event {key!r} ({event_id}) was not taken by RabbitMQ: {reason}")


class EventUnroutable(EventRefused, LookupError):
    """No queue wants the event: no workflow has a trigger for it, or no router ever ran."""

    def __init__(self, key: str, event_id: str) -> None:
        super().__init__(
            key,
            event_id,
            "no queue is bound for this key; is there a workflow with such a trigger, "
            "and was a router started with it?",
        )


class InvalidEvent(RouterError, ValueError):
    """The event cannot be published: its key or its data is not acceptable."""


class JobRefused(RouterError):
    """Temporal will never accept this job of ``workflow``, however often it is asked."""

    def __init__(self, workflow: str, job: str, reason: str) -> None:
        self.workflow = workflow
        self.job = job
        self.reason = reason
        super().__init__(f"job {job!r} of workflow {workflow!r}: {reason}")


class ScheduleUnreadable(RouterError):
    """What a schedule says of itself cannot be decoded: its key is missing."""

    def __init__(self, schedule_id: str, reason: str) -> None:
        self.schedule_id = schedule_id
        self.reason = reason
        super().__init__(f"schedule {schedule_id!r} cannot be read: {reason}")


class TemporalUnavailable(RouterError):
    """Temporal takes no jobs for now, and no sooner than somebody has mended something."""
