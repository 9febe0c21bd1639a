"""`log`: steps that write to the worker's log."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._models import Params

__all__ = ["Log"]

# What a record has by itself, or structlog would take for something else.
_OWN: Final = frozenset(
    "event message level logger timestamp exc_info exception stack stack_info workflow job step "
    "action event_id event_key workflow_id run_id attempt self method_name".split()
)


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    if taken := sorted(_OWN & fields.keys()):
        raise ValueError(f"each record has fields of its own by these names: {', '.join(taken)}")
    return fields


class Record(Params):
    """What to write."""

    message: Annotated[str, Field(max_length=10_000)]
    """What happened, for people."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """How bad it is; `HATCHET_LOG_LEVEL` of the worker decides what is written."""

    fields: Annotated[dict[str, Any], AfterValidator(_fields)] = Field(
        default_factory=dict[str, Any]
    )
    """What else the record says, by name; beside the names of the workflow, the job and the step,
    the ids and the attempt, which each record has."""


class Log(Integration):
    """Writes to the worker's log, where it masks secrets as in all records."""

    id = "log"

    def __init__(self, *, id: str = "log") -> None:  # noqa: A002 - as in the base class
        self.id = id

    @action("write")
    def write(self, record: Record, context: Context) -> None:
        """Write a record called `step.said` to the log, with the message and the fields.

        A second attempt at the step writes it again, with its `attempt`.
        """
        write = getattr(context.logger, record.level)
        write("step.said", message=record.message, **record.fields)
