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
    Rule(
        "local-timeout",
        "error",
        "A local step may take too long.",
        "A local step runs inside a workflow task, which has 10 s. While that lasts, the job does "
        "not hear of its cancellation, and what its steps did is not recorded: if the worker is "
        "lost, it is done again. Give it a timeout of at most 5 s, or mode: regular.",
        example=ORDER_PAID.replace("15s", "§15s") + "        mode: local\n",
        instead="        timeout: 5s",
    ),
    Rule(
        "local-retry",
        "error",
        "A local step may wait for long between its attempts.",
        "It may wait 10 s at most. What needs more waits for another service to recover, which a "
        "regular step does cheaper. Shorten backoff or max-backoff, allow fewer attempts, or write "
        "mode: regular.",
        example=ORDER_PAID.replace("15s", "5s")
        + "        mode: local\n        §retry: {attempts: 8}\n",
        instead="        retry: {attempts: 8, max-backoff: 5s}",
    ),
)
