"""The workflow file as a JSON Schema: what editors complete, explain and check while one types.

It is made from the models, and says what the file may hold: the short forms too, which the models
turn into the long ones. It uses only what drafts 07 and 2020-12 understand alike, since editors
differ: yaml-language-server checks files by draft 07, whatever ``$schema`` says.

A schema cannot know all that the loader does: whether templates compile, whether names are unique,
whether ``defaults`` has the timeout that a step lacks. It refuses nothing that the loader takes.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from hatchet_schemas.cron import RANDOM_SCHEDULES
from hatchet_schemas.durations import format_duration
from hatchet_schemas.patterns import MAX_KEY_BYTES
from hatchet_schemas.workflows import Workflow

__all__ = ["workflow_json_schema", "workflow_json_schema_text"]

Schema = dict[str, Any]

_NUMBER: Final = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_UNITS: Final = "".join(f"({_NUMBER}{unit})?" for unit in ("d", "h", "m", "s", "ms"))
_DURATION: Final[Schema] = {"pattern": f"^(?=.*[1-9]){_UNITS}$"}
_WORD: Final = "([*#]|[A-Za-z0-9_/@-]*)"
_EVENT: Final[Schema] = {
    "minLength": 1,
    "maxLength": MAX_KEY_BYTES,
    "pattern": f"^{_WORD}([.:]{_WORD})*$",
    "examples": ["order.paid", "user:*", "audit.#"],
}
_ACTION_PART: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_RANDOM: Final = "|".join(sorted(RANDOM_SCHEDULES))
_SCHEDULE: Final[Schema] = {
    "pattern": rf"^(@[a-z]+|{_RANDOM}|\s*\S+(\s+\S+){{4}}\s*)$",
    "examples": ["*/15 * * * *", "@hourly", "random_daily"],
}
_TIMEZONE: Final[Schema] = {"examples": ["Europe/Berlin"]}
_NOT_BLANK: Final = r"\S"

_TITLES: Final = {
    "Workflow": "Hatchet workflow",
    "Triggers": "Triggers",
    "EventTrigger": "Event trigger",
    "CronTrigger": "Cron trigger",
    "GitHubSchedule": "Schedule",
    "Defaults": "Defaults",
    "Job": "Job",
    "Step": "Step",
    "RetryPolicy": "Retry",
}
# What pydantic cannot know of fields that functions of ours check, and examples.
_MORE: Final[dict[tuple[str, str], Schema]] = {
    ("Workflow", "name"): {"examples": ["Order paid"]},
    ("Workflow", "on"): {"examples": ["order.paid", ["user:create", "order.*", "audit.#"]]},
    ("Workflow", "vars"): {"examples": [{"channel": "#orders"}]},
    ("Workflow", "secrets"): {"examples": [["SLACK_TOKEN"]]},
    ("Workflow", "jobs"): {"minProperties": 1},
    ("EventTrigger", "event"): _EVENT,
    ("EventTrigger", "if"): {"pattern": _NOT_BLANK, "examples": [".amount > 100"]},
    ("CronTrigger", "schedule"): _SCHEDULE,
    ("CronTrigger", "timezone"): _TIMEZONE,
    ("CronTrigger", "catch-up"): _DURATION,
    ("CronTrigger", "jitter"): _DURATION,
    ("GitHubSchedule", "cron"): {
        **_SCHEDULE,
        "description": "Five cron fields, `@hourly` and the like, or `random_hourly` and the like.",
    },
    ("GitHubSchedule", "timezone"): _TIMEZONE,
    ("GitHubSchedule", "catch-up"): _DURATION,
    ("GitHubSchedule", "jitter"): _DURATION,
    ("Defaults", "timeout"): _DURATION,
    ("RetryPolicy", "backoff"): _DURATION,
    ("RetryPolicy", "max-backoff"): _DURATION,
    ("Job", "queue"): {"examples": ["internal"]},
    ("Job", "if"): {"pattern": _NOT_BLANK, "examples": [".user.active"]},
    ("Job", "timeout"): _DURATION,
    ("Job", "steps"): {"minItems": 1},
    ("Step", "id"): {"examples": ["greet-user"]},
    ("Step", "actionId"): {
        "pattern": f"^{_ACTION_PART}(:{_ACTION_PART}){{1,2}}$",
        "examples": ["slack:send-message"],
    },
    ("Step", "if"): {
        "pattern": _NOT_BLANK,
        "examples": [".steps.find.outputs.found", "failure()"],
    },
    ("Step", "timeout"): _DURATION,
    ("Step", "with"): {"examples": [{"email": "{{ .user.email }}"}]},
}
_MARKUP: Final = re.compile(r"``([^`]*)``")


def workflow_json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a workflow file."""
    schema = Workflow.model_json_schema(mode="validation", schema_generator=_FileSchema)
    definitions: dict[str, Schema] = schema.pop("$defs")
    del definitions["JsonValue"]
    for name, model in {"Workflow": schema, **definitions}.items():
        _describe(name, model)
    _allow_short_triggers(definitions)
    _allow_short_steps(definitions["Step"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema["title"],
        "description": schema["description"],
        **schema,
        "$defs": dict(sorted(definitions.items())),
    }


def workflow_json_schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(workflow_json_schema(), indent=2, ensure_ascii=False) + "\n"


class _FileSchema(GenerateJsonSchema):
    """Pydantic's schema, with durations as the file writes them, and terser where null is taken."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False  # a field is titled by its name in the file

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        kinds = inner.get("type")
        if kinds is None:
            return {"anyOf": [inner, {"type": "null"}]}
        return {**inner, "type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"]}


def _describe(name: str, model: Schema) -> None:
    model["title"] = _TITLES[name]
    model["description"] = _as_markdown(model["description"])
    for field, schema in model["properties"].items():
        schema["title"] = field
        schema["description"] = _as_markdown(schema["description"])
        if not isinstance(schema.get("default", ""), (str, int, float)):
            del schema["default"]  # null, or a whole map, which an editor would write out
        if "patternProperties" in schema:
            # Names are checked, not chosen by: all values are of one kind.
            [(pattern, value)] = schema.pop("patternProperties").items()
            schema["propertyNames"]["pattern"] = pattern
            schema["additionalProperties"] = True if "JsonValue" in value["$ref"] else value
        schema.update(_MORE.get((name, field), {}))


def _as_markdown(text: str) -> str:
    return _MARKUP.sub(r"`\1`", text)


def _allow_short_triggers(definitions: dict[str, Schema]) -> None:
    """Let an event be its key, a list of one its only item, and ``on`` be events alone."""
    key = {
        "title": "Event key",
        "description": "What starts it: an event key, or a pattern.",
        "type": "string",
        **_EVENT,
    }
    triggers = definitions["Triggers"]
    properties = triggers["properties"]
    for field in properties:
        listed = {name: properties[field].pop(name) for name in ("type", "items")}
        properties[field]["anyOf"] = [listed["items"], listed]
    triggers["anyOf"] = [
        {"required": [field], "properties": {field: {"minItems": 1}}} for field in properties
    ]
    events = {**properties["events"]["anyOf"][1], "minItems": 1}
    definitions["EventTrigger"] = {"anyOf": [key, definitions["EventTrigger"]]}
    definitions["Triggers"] = {"anyOf": [key, events, triggers]}


def _allow_short_steps(step: Schema) -> None:
    """Let ``action`` stand for ``actionId``, and ``name`` and ``timeout`` be left out."""
    properties = step["properties"]
    properties["action"] = {
        **properties["actionId"],
        "title": "action",
        "description": "Another word for `actionId`.",
    }
    step["required"] = ["id"]
    step["oneOf"] = [{"required": ["actionId"]}, {"required": ["action"]}]
