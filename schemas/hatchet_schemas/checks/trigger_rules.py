"""The rules for what starts a workflow."""

from __future__ import annotations

from typing import Final

from hatchet_schemas.checks.rule import ORDER_PAID, Rule

__all__ = ["TRIGGER_RULES"]


def _started_by(on: str) -> str:
    return ORDER_PAID.replace("on: order.paid", f"on: {on}")


TRIGGER_RULES: Final = (
    Rule(
        "no-trigger",
        "error",
        "Nothing starts the workflow.",
        "Name an event key or a cron schedule in on.",
        example=_started_by("[]").replace("on:", "§on:"),
        instead="on: order.paid",
    ),
    Rule(
        "invalid-event-key",
        "error",
        "A text is neither an event key nor a pattern.",
        "A key is words of letters, digits, '_', '-', '/' and '@', separated by '.' or ':', at "
        "most 255 characters. In a pattern, * and # stand for whole words.",
        example=_started_by("§order paid"),
        instead="on: order.paid",
    ),
    Rule(
        "pattern-matches-nothing",
        "error",
        "A wildcard stands inside a word.",
        "* stands for exactly one word and # for any number of words, never for a part of one. "
        "List the keys, or make the part a word of its own.",
        example=_started_by("§order.p*"),
        instead="on: [order.paid, order.packed]",
    ),
    Rule(
        "empty-word",
        "warning",
        "An event key has nothing before, behind or between its separators.",
        "It matches only events whose key has the same gap. Remove the separator, or write * for "
        "any word.",
        example=_started_by("order.§.paid"),
        instead="on: order.paid",
    ),
    Rule(
        "redundant-trigger",
        "warning",
        "All that a trigger matches is matched by another one of the same workflow.",
        "An event starts each job once, however many triggers match. Remove the narrower one, or, "
        "where it was to be the only one, the wider one.",
        example=_started_by("['order.*', §order.paid]"),
        instead="on: ['order.*']",
    ),
    Rule(
        "never-true",
        "warning",
        "The condition of a trigger or a job is false whatever happens.",
        "Remove it, or what it switches off. A name without quotes is a field, a text in quotes is "
        "itself.",
        example=_started_by("\n  - {event: order.paid, if: §false}\n  - order.sent"),
        instead="  - {event: order.paid, if: .order.total > 0}",
    ),
    Rule(
        "invalid-schedule",
        "error",
        "A text is not a schedule that all cron implementations read alike.",
        "It has five fields (minute, hour, day of month, month, day of week), or is @hourly and "
        "the like, or random_hourly and the like.",
        example=_started_by('{cron: {schedule: §"*/15 * * *"}}'),
        instead='on: {cron: {schedule: "*/15 * * * *"}}',
    ),
    Rule(
        "invalid-timezone",
        "error",
        "A text is not a time zone.",
        "Time zones have names such as Europe/Berlin or UTC, from the IANA database.",
        example=_started_by("{cron: {schedule: '@daily', timezone: §Berlin}}"),
        instead="on: {cron: {schedule: '@daily', timezone: Europe/Berlin}}",
    ),
)
