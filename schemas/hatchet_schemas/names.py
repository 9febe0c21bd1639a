"""The names that router, worker and servers share, and how an id is made safe for them."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Annotated, Final
from urllib.parse import unquote

from pydantic import StringConstraints

__all__ = [
    "CRON_EVENT_KEY",
    "DEAD_LETTERS",
    "DEFAULT_DEPLOYMENT",
    "DEFAULT_QUEUE",
    "ENCRYPTED",
    "EVENTS_EXCHANGE",
    "ROUTER_QUEUE",
    "TRACE_HEADER",
    "WORKFLOWS_FOLDER",
    "Name",
    "SecretName",
    "WorkflowName",
    "escaped",
    "idempotency_key",
    "job_of_id",
    "schedule_id",
    "scheduled_workflow_id",
    "times_id",
    "workflow_id",
]

WORKFLOWS_FOLDER: Final = ".hatchet"
"""Where workflow files are looked for, relative to the working directory."""

EVENTS_EXCHANGE: Final = "hatchet.events"
"""The durable topic exchange to which applications publish; the routing key is the event key."""

ROUTER_QUEUE: Final = "hatchet.router"
"""The quorum queue that all routers of a deployment share."""

DEAD_LETTERS: Final = "hatchet.dead-letters"
"""The exchange, and the quorum queue bound to it, of events that cannot be handled."""

DEFAULT_QUEUE: Final = "default"
"""The Temporal task queue of a job that names none."""

DEFAULT_DEPLOYMENT: Final = "hatchet"
"""The deployment of routers that name none; schedules are kept within a deployment."""

CRON_EVENT_KEY: Final = "cron"
"""The key of the event that a time is: ``.event.key`` of a job that the clock has started."""

ENCRYPTED: Final = b"binary/encrypted"
"""The encoding of a Temporal payload that is encrypted, as Temporal's own samples name it."""

TRACE_HEADER: Final = "_tracer-data"
"""The header of workflows and activities that bears a trace's context, a map of texts as JSON.

It is the one that the OpenTelemetry interceptors of Temporal's SDKs use.
"""

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=100, strict=True)
]
"""A job's name, a step's id or a queue's name: letters, digits, ``.``, ``_`` and ``-``."""

SecretName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100, strict=True)
]
"""A secret's name: letters, digits, ``_`` and ``-``; never a path."""

_NOT_IN_LINE: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"  # what a name of one line cannot hold

WorkflowName = Annotated[
    str,
    StringConstraints(
        pattern=rf"^[^{_NOT_IN_LINE}]*[^\s{_NOT_IN_LINE}][^{_NOT_IN_LINE}]*$",
        max_length=200,
        strict=True,
    ),
]
"""A workflow's name: one line of any text, spaces too."""

_UNSAFE_IN_NAME: Final = re.compile(r"[^A-Za-z0-9 ._:@-]", re.ASCII)
_UNSAFE_IN_ID: Final = re.compile(r"[^A-Za-z0-9._:/@-]", re.ASCII)
_IDEMPOTENCY_NAMESPACE: Final = uuid.UUID("5d2f8b0e-5c0b-4f5c-9d3e-0b1a6f3f9f64")
_MAX_PART: Final = 255  # characters; three parts stay below the 1,000 that Temporal accepts
# A publisher may choose its source: no two shall be found that share a hash (128 bits).
_SOURCE_DIGITS: Final = 32
_KEPT_OF_LONG_PART: Final = 64  # characters


def escaped(text: str, unsafe: re.Pattern[str] = _UNSAFE_IN_ID) -> str:
    """Return ``text`` in printable ASCII of at most 255 characters, distinct for distinct texts.

    What is unsafe is percent-encoded (RFC 3986, as UTF-8); of a text that is still too long, the
    start and a hash of the whole are kept. Temporal itself would accept newlines and NUL in ids.
    """

    def percent(match: re.Match[str]) -> str:
        octets = match.group().encode("utf-8", "surrogatepass")
        return "".join(f"%{octet:02X}" for octet in octets)

    safe = unsafe.sub(percent, text)
    if len(safe) <= _MAX_PART:
        return safe
    return f"{safe[:_KEPT_OF_LONG_PART]}~~{_digest(text, 32)}"


def workflow_id(workflow: str, job: str, event_id: str, source: str | None = None) -> str:
    """Return the id under which Temporal runs ``job`` of ``workflow`` for one event.

    It is ``<workflow>/<job>/<event id>``, and for an event with a source
    ``<workflow>/<job>/<event id>~<hash of the source>``: an event's identity is (source, id), so
    that one application cannot take another's ids. The same event always gives the same id,
    which is how a job is started at most once. ``~`` never comes out of escaping.
    """
    identity = escaped(event_id)
    if source is not None:
        identity = f"{identity}~{_digest(source, _SOURCE_DIGITS)}"
    return f"{_escaped_names(workflow, job)}/{identity}"


def job_of_id(workflow_id: str) -> tuple[str, str]:
    """Return the workflow and the job that an id of `workflow_id` is of.

    Of a name that was too long for it, it is what `escaped` made of it.
    """
    workflow, _, rest = workflow_id.partition("/")
    return unquote(workflow), unquote(rest.partition("/")[0])


def schedule_id(deployment: str, workflow: str, job: str, slot: int = 1) -> str:
    """Return the id of the Temporal Schedule that starts ``job`` of ``workflow``.

    It is ``<deployment>/<workflow>/<job>``, and ``/2``, ``/3`` behind it where the workflow has
    more than one cron trigger; ``slot`` is that number. ``deployment`` is a `Name`, and so holds
    no ``/``.
    """
    return f"{deployment}/{_escaped_names(workflow, job)}{_later(slot)}"


def times_id(deployment: str, workflow: str, slot: int = 1) -> str:
    """Return what the schedules of a workflow's jobs have in common that start at the same times.

    It is ``<deployment>/<workflow>``, and ``/2``, ``/3`` behind it for later cron triggers; the ids
    of the events are made of it.
    """
    return f"{deployment}/{escaped(workflow, _UNSAFE_IN_NAME)}{_later(slot)}"


def scheduled_workflow_id(deployment: str, workflow: str, job: str, slot: int = 1) -> str:
    """Return what the ids begin with of the workflows that a schedule starts.

    It is ``<workflow>/<job>/~cron@<deployment>``, and ``/2``, ``/3`` behind it for later cron
    triggers. Temporal appends ``-`` and the time. ``~`` never comes out of escaping, so that no
    publisher can take such an id by an event.
    """
    return f"{_escaped_names(workflow, job)}/~cron@{deployment}{_later(slot)}"


def _later(slot: int) -> str:
    return f"/{slot}" if slot > 1 else ""


def _escaped_names(workflow: str, job: str) -> str:
    return f"{escaped(workflow, _UNSAFE_IN_NAME)}/{escaped(job, _UNSAFE_IN_NAME)}"


def idempotency_key(workflow_id: str, step: str) -> str:
    """Return what tells one step of one job of one event from every other, in any attempt: a UUID.

    It is made by name (RFC 9562, version 5), so that it is the same in each attempt and on each
    worker, and fits what payment and mail providers take.
    """
    return str(uuid.uuid5(_IDEMPOTENCY_NAMESPACE, f"{workflow_id}/{step}"))


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
