"""The contracts between the bus, the router and the worker: pure values, no I/O."""

from typing import TYPE_CHECKING

from hatchet_schemas.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from hatchet_schemas.actions import ActionId
    from hatchet_schemas.durations import Duration, format_duration, parse_duration
    from hatchet_schemas.errors import SchemaError, TemplateError
    from hatchet_schemas.events import Event, EventHeader
    from hatchet_schemas.job_input import JobInput, ScheduledJobInput, StepInput
    from hatchet_schemas.loader import Definition, SourceFile, load_definitions
    from hatchet_schemas.problems import Problem
    from hatchet_schemas.secret_texts import SecretRef, SecretText
    from hatchet_schemas.triggers import CronTrigger, Triggers
    from hatchet_schemas.workflows import Defaults, Job, RetryPolicy, Step, Workflow
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "ActionId": "actions",
            "CronTrigger": "triggers",
            "Defaults": "workflows",
            "Definition": "loader",
            "Duration": "durations",
            "Event": "events",
            "EventHeader": "events",
            "Job": "workflows",
            "JobInput": "job_input",
            "Problem": "problems",
            "RetryPolicy": "workflows",
            "ScheduledJobInput": "job_input",
            "SchemaError": "errors",
            "SecretRef": "secret_texts",
            "SecretText": "secret_texts",
            "SourceFile": "loader",
            "Step": "workflows",
            "StepInput": "job_input",
            "TemplateError": "errors",
            "Triggers": "triggers",
            "Workflow": "workflows",
            "format_duration": "durations",
            "load_definitions": "loader",
            "parse_duration": "durations",
        },
    )

__all__ = [
    "ActionId",
    "CronTrigger",
    "Defaults",
    "Definition",
    "Duration",
    "Event",
    "EventHeader",
    "Job",
    "JobInput",
    "Problem",
    "RetryPolicy",
    "ScheduledJobInput",
    "SchemaError",
    "SecretRef",
    "SecretText",
    "SourceFile",
    "Step",
    "StepInput",
    "TemplateError",
    "Triggers",
    "Workflow",
    "format_duration",
    "load_definitions",
    "parse_duration",
]
