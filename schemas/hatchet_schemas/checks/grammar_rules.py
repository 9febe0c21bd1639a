"""The rules for fields: which there are, and what they hold."""

from __future__ import annotations

from typing import Final

from hatchet_schemas.checks.rule import ORDER_PAID, Rule

__all__ = ["GRAMMAR_RULES"]

GRAMMAR_RULES: Final = (
    Rule(
        "missing-field",
        "error",
        "A field that is required is not there.",
        "A workflow needs name, on and jobs; a job steps; a step id, actionId and, where no "
        "defaults give it, timeout.",
        example=ORDER_PAID + "      - §id: book\n        actionId: ledger:book\n",
        instead="      - id: book\n        timeout: 15s",
    ),
    Rule(
        "unknown-field",
        "error",
        "A field is not one that may stand there.",
        "It would change nothing, which is hardly what was meant. Mostly it is misspelt, or stands "
        "one level too high or too low.",
        example=ORDER_PAID + "        §retires: {attempts: 3}\n",
        instead="        retry: {attempts: 3}",
    ),
    Rule(
        "reserved-field",
        "error",
        "A field is known from elsewhere, but has no meaning here yet.",
        "needs is reserved: the jobs of a workflow run in parallel. Put steps that depend on each "
        "other into one job, or let a step publish an event that starts another workflow.",
        example=ORDER_PAID.replace("    steps:", "    §needs: [book]\n    steps:"),
        instead="",
    ),
    Rule(
        "wrong-type",
        "error",
        "A value is of another kind than its field takes.",
        "The message names what is expected: a text, a number, a list or a map. Numbers that are "
        "meant as texts need quotes.",
        example=ORDER_PAID + "        with: §[order]\n",
        instead='        with: {order: "{{ .order.id }}"}',
    ),
    Rule(
        "invalid-name",
        "error",
        "A name holds characters that it cannot have, or is too long.",
        "Jobs, steps, queues and vars are named with letters, digits, '.', '_' and '-', at most "
        "100 of them; secrets without '.'. A workflow's name is one line of at most 200 "
        "characters.",
        example=ORDER_PAID + "      - id: §book it\n        actionId: ledger:book\n"
        "        timeout: 15s\n",
        instead="      - id: book-it",
    ),
    Rule(
        "invalid-value",
        "error",
        "A value is of the right kind, but out of bounds.",
        "The message names the bound.",
        example=ORDER_PAID + "        retry: {attempts: §0}\n",
        instead="        retry: {attempts: 1}",
    ),
    Rule(
        "invalid-duration",
        "error",
        "A text is not a duration.",
        "A duration is a number and a unit: d, h, m, s or ms, the larger unit first, such as "
        "1m30s.",
        example=ORDER_PAID.replace("15s", "§15 seconds"),
        instead="        timeout: 15s",
    ),
    Rule(
        "invalid-action-id",
        "error",
        "A text is not an action's id.",
        "It is the integration's id and what it shall do, with a colon between: "
        "slack:create-channel.",
        example=ORDER_PAID.replace("stock:reserve", "§reserve"),
        instead="        actionId: stock:reserve",
    ),
    Rule(
        "backoff-order",
        "error",
        "The longest wait between attempts is shorter than the first one.",
        "Raise max-backoff (1m where none is given) or lower backoff (1s where none is given).",
        example=ORDER_PAID + "        §retry: {backoff: 5m}\n",
        instead="        retry: {backoff: 5m, max-backoff: 1h}",
    ),
    Rule(
        "duplicate-id",
        "error",
        "Two steps of one job have the same id.",
        "Later steps, and Temporal, tell steps by their ids. Give them different ones.",
        example=ORDER_PAID
        + "      - id: §reserve\n        actionId: ledger:book\n        timeout: 15s\n",
        instead="      - id: book",
    ),
)
