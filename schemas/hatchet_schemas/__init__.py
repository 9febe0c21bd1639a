"""The contracts between the bus, the router and the worker: pure values, no I/O."""

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
