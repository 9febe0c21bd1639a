"""The workflow files that are measured with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["EVENT", "NOBODY", "file_of_many", "job_file", "key_of_many", "write_many"]

NOBODY: Final = "nobody"
"""A task queue that no worker serves."""

EVENT: Final[dict[str, Any]] = {
    "user": {"name": "Ada Lovelace", "email": "ada@example.org", "plan": "pro"},
    "order": {"id": 4711, "total": 129.5, "currency": "EUR"},
}
"""What every event holds."""

# Two steps, three texts of which are templates with expressions that differ from file to file.
_FILE: Final = """\
name: "Workflow {i}"
on: {trigger}
jobs:
  greet:
    queue: {queue}
    timeout: 1d
    steps:
      - name: Greet user
        id: greet
        actionId: postmark:email-from-template
        timeout: 5s
        with:
          firstName: "{{{{ .user{i}.firstName }}}}"
          email: "{{{{ .user.email }}}}"
          text: "Order {{{{ .order.id{i} }}}} for {{{{ .user.name | upper }}}}"
      - name: Tell
        id: tell
        actionId: slack:send-message
        timeout: 5s
        retry: {{attempts: 3}}
        with:
          channel: "#orders"
          text: "{{{{ .steps.greet.outputs.id }}}}"
"""
_TRIGGERS: Final = (
    "order{i}.paid",
    '"user{i}.*"',
    "order{i}:shipped",
    '"team{i}.#"',
)
_KEYS: Final = ("order{i}.paid", "user{i}.created", "order{i}:shipped", "team{i}.member.added")
# Nothing runs them in some suites: their timeouts are not to be over while others are measured.
_JOB: Final = """\
  {name}:
    queue: {queue}
    timeout: 1d
{mode}    steps:
"""
_STEP: Final = """\
      - id: step{number}
        actionId: bench:note
        timeout: 5s
        with:
          name: "{{{{ .user.name }}}}"
          order: "{{{{ .order.id }}}}"
          {before}
"""


def file_of_many(i: int) -> bytes:
    """Return the ``i``-th of many workflow files; every second one has a pattern."""
    trigger = _TRIGGERS[i % len(_TRIGGERS)].format(i=i)
    return _FILE.format(i=i, trigger=trigger, queue=NOBODY).encode()


def key_of_many(i: int) -> str:
    """Return an event key that the ``i``-th file, and no other, has a trigger for."""
    return _KEYS[i % len(_KEYS)].format(i=i)


def write_many(folder: Path, count: int) -> None:
    """Write so many workflow files into ``folder``."""
    folder.mkdir(parents=True)
    for i in range(count):
        (folder / f"{i}.yaml").write_bytes(file_of_many(i))


def job_file(
    name: str, key: str, *, jobs: int = 1, steps: int = 1, queue: str = NOBODY, mode: str = ""
) -> str:
    """Return a workflow file for events ``key``, with jobs of steps that do next to nothing.

    Each step but the first is handed what the one before it has returned. ``mode`` is the jobs'
    ``mode``, none if it is empty.
    """
    return f"name: {name}\non: {key}\njobs:\n" + "".join(_jobs(jobs, steps, queue, mode))


def _jobs(jobs: int, steps: int, queue: str, mode: str) -> Iterator[str]:
    for number in range(1, jobs + 1):
        told = f"    mode: {mode}\n" if mode else ""
        yield _JOB.format(name=f"job{number}", queue=queue, mode=told)
        for step in range(1, steps + 1):
            before = f'before: "{{{{ .steps.step{step - 1}.outputs.number }}}}"'
            yield _STEP.format(number=step, before=before if step > 1 else "before: 0")
