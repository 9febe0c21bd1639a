"""Jobs of every shape that JobWorkflow knows: what `record.py` records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


def step(
    step_id: str,
    verb: str = "say",
    data: dict[str, Any] | None = None,
    condition: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return a step of one of the recorded jobs."""
    return {
        "name": step_id,
        "id": step_id,
        "actionId": f"echo:{verb}",
        "timeout": "5s" if extra.get("mode") == "local" else "10s",
        "with": data or {},
        "if": condition,
        **extra,
    }


@dataclass(frozen=True)
class Shape:
    """A job to record: its steps, and what else decides how its history looks.

    ``cancelled`` says when: ``before`` a worker takes it, ``during`` its first step, or when that
    is done and no worker has ``seen`` it. ``given`` stands for the input of a job. A job that is
    ``scheduled`` is started by the clock.
    """

    steps: list[dict[str, Any]]
    condition: str | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    cancelled: str | None = None
    given: Any = None
    scheduled: bool = False


ONCE: Final[dict[str, Any]] = {"retry": {"attempts": 1}}
LOCAL: Final[dict[str, Any]] = {"mode": "local"}
TOLERATED: Final[dict[str, Any]] = {"continue-on-error": True}
JOBS: Final[dict[str, Shape]] = {
    "one-step": Shape([step("echo1", "say", {"message": "{{ .username }}"})]),
    "three-steps": Shape(
        [
            step("echo1", "say", {"message": "{{ .username }}"}),
            step("echo-2", "say", {"message": "{{ .steps.echo1.outputs.message }}"}),
            step("echo3", "say", {"all": ["{{ .steps.echo-2.message }}", "{{ .event.key }}"]}),
        ]
    ),
    "failing-step": Shape(
        [
            step("echo1"),
            step("fails", "fail", retry={"attempts": 2, "backoff": "10ms"}),
            step("never"),
        ]
    ),
    "template-error": Shape([step("echo1"), step("echo2", "say", {"message": "{{ .nobody }}"})]),
    "timed-out-step": Shape([step("hangs", "hang", timeout="200ms", **ONCE)]),
    "skipped-step": Shape(
        [
            step("echo1", condition=".username == 'nobody'"),
            step("echo2", "say", {"was": "{{ .steps.echo1.outcome }}"}),
        ]
    ),
    "tolerated-failure": Shape(
        [
            step("fails", "fail", **ONCE, **TOLERATED),
            step("echo2", "say", {"why": "{{ .steps.fails.failure.message }}"}),
        ]
    ),
    "steps-after-a-failure": Shape(
        [
            step("fails", "fail", **ONCE),
            step("never"),
            step("tells", "say", {"why": "{{ .steps.fails.failure.type }}"}, condition="failure()"),
            step("tidies", "say", condition="always()"),
        ]
    ),
    "secret": Shape([step("echo1", "say", {"key": "Bearer {{ .secrets.TOKEN }}"})]),
    "wanted-job": Shape([step("echo1"), step("echo2")], condition=".username != 'nobody'"),
    "skipped-job": Shape([step("never")], condition=".username == 'nobody'"),
    "undecidable-job": Shape([step("never")], condition=".nobody"),
    "undecidable-step": Shape(
        [step("echo1"), step("never", condition=".nobody"), step("tidies", condition="always()")]
    ),
    "nothing-to-do": Shape([step("never", condition="failure()"), step("nor", condition="false")]),
    "retried-step": Shape(
        [step("recovers", "recover", retry={"attempts": 3, "backoff": "10ms"}), step("echo2")]
    ),
    "at-most-once": Shape([step("fails", "once"), step("never")]),
    "unknown-action": Shape([step("echo1"), step("fails", "sing"), step("never")]),
    "unknown-secret": Shape([step("fails", "say", {"key": "{{ .secrets.NOBODYS }}"})]),
    "vars": Shape(
        [
            step("echo1", "say", {"to": "{{ .vars.channel }}"}, condition=".vars.tell"),
            step("echo2", condition="not .vars.tell"),
        ]
    ),
    "oversized-input": Shape(
        # Each of these characters is six bytes of JSON; the history stays small.
        [step("echo1"), step("fails", "say", {"all": ["{{ .padding }}"] * 90})],
        data={"padding": "\x01" * 4000},
    ),
    "with-heartbeats": Shape([step("echo1", timeout="5m"), step("echo2")]),
    "timed-out-twice": Shape(
        [
            step("hangs", "hang", timeout="200ms", retry={"attempts": 2, "backoff": "10ms"}),
            step("tells", condition="failure()"),
        ]
    ),
    "tolerated-timeout": Shape(
        [
            step("hangs", "hang", timeout="200ms", **ONCE, **TOLERATED),
            step("echo2", condition=".steps.hangs.outcome == 'failure'"),
        ]
    ),
    "several-failures": Shape(
        [
            step("fails", "fail", **ONCE),
            step("fails2", "fail", condition="always()", **ONCE),
            step("fails3", "say", {"message": "{{ .nobody }}"}, condition="always()"),
            step("tidies", condition="always()"),
        ]
    ),
    "cancelled-before": Shape(
        [step("never"), step("tidies", condition="always()")], cancelled="before"
    ),
    "cancelled-step": Shape([step("hangs", "hang"), step("never")], cancelled="during"),
    "cancelled-tolerated-step": Shape(
        [step("hangs", "hang", **TOLERATED), step("never")], cancelled="during"
    ),
    "steps-after-a-cancellation": Shape(
        [
            step("hangs", "hang"),
            step("never"),
            step("nor", condition="failure()"),
            step("tells", condition="cancelled()"),
            step("tidies", "fail", condition="always()", **ONCE),
        ],
        cancelled="during",
    ),
    "cancelled-between-steps": Shape(
        [step("waits", "wait"), step("never"), step("tidies", condition="always()")],
        cancelled="seen",
    ),
    "scheduled": Shape(
        [
            step("echo1", "say", {"event": "{{ .event }}"}),
            step("echo-2", "say", {"time": "{{ .steps.echo1.event.time }}"}),
        ],
        scheduled=True,
    ),
    "local-steps": Shape(
        [
            step("echo1", "say", {"message": "{{ .username }}"}, **LOCAL),
            step("echo-2", "say", {"message": "{{ .steps.echo1.outputs.message }}"}, **LOCAL),
            step("echo3", "say", {"all": ["{{ .steps.echo-2.message }}", "{{ .event.key }}"]}),
            step("echo4", **LOCAL),
        ]
    ),
    "local-retried-step": Shape(
        [
            step("echo1", **LOCAL),
            step("recovers", "recover", retry={"attempts": 3, "backoff": "10ms"}, **LOCAL),
            step("echo2", **LOCAL),
        ]
    ),
    "local-failing-step": Shape(
        [
            step("echo1", **LOCAL),
            step("fails", "fail", retry={"attempts": 2, "backoff": "10ms"}, **LOCAL),
            step("never", **LOCAL),
        ]
    ),
    "local-tolerated-failure": Shape(
        [
            step("fails", "fail", **ONCE, **TOLERATED, **LOCAL),
            step("hangs", "hang", timeout="200ms", **ONCE, **TOLERATED, **LOCAL),
            step("echo2", "say", {"why": "{{ .steps.fails.failure.message }}"}, **LOCAL),
        ]
    ),
    "local-at-most-once": Shape([step("fails", "once", **LOCAL), step("never", **LOCAL)]),
    "local-cancelled-step": Shape(
        # So long that the worker asks for another workflow task, and hears of it.
        [
            step("hangs", "hang", **{**LOCAL, "timeout": "30s"}),
            step("never", **LOCAL),
            step("tells", condition="cancelled()", **LOCAL),
        ],
        cancelled="during",
    ),
    "local-by-default": Shape(
        [
            step("echo1", "note", {"message": "{{ .username }}"}, timeout="5s"),
            step("long", "note", timeout="5001ms"),
            step("waits", "note", timeout="5s", retry={"attempts": 2, "backoff": "10s"}),
            step("waits-long", "note", timeout="5s", retry={"attempts": 2, "backoff": "10001ms"}),
            step("says-so", "note", timeout="5s", mode="regular"),
            step("echo2", "say", {"message": "{{ .steps.echo1.message }}"}, timeout="5s"),
        ]
    ),
    "no-job": Shape([], given={"workflow": "Recorded"}),
    "no-input": Shape([], given=""),
}
