"""The rules for how steps follow each other."""

from __future__ import annotations

from typing import Final

from hatchet_schemas.checks.rule import ORDER_PAID, Rule

__all__ = ["STEP_RULES"]

STEP_RULES: Final = (
    Rule(
        "unreachable-step",
        "warning",
        "A step never runs, whatever happens before it.",
        "Its condition is false, or asks for a failure where no step before it can fail the job: a "
        "failure with continue-on-error does not count. Change the condition, or remove the step.",
        example=ORDER_PAID + "        if: §failure()\n",
        instead="        if: success()",
    ),
    Rule(
        "timeout-order",
        "warning",
        "A step's timeout is longer than that of its job.",
        "The job's timeout counts all its steps, and all attempts, and ends the job first. Raise "
        "the job's timeout, or lower the step's.",
        example=ORDER_PAID.replace("    steps:", "    timeout: 10s\n    steps:").replace(
            "15s", "§15s"
        ),
        instead="        timeout: 5s",
    ),
)
