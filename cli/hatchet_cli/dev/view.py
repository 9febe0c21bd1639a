"""What `hatchet dev` shows: where everything is, and each event, step and job as it happens."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from hatchet_cli.definitions import counted
from hatchet_cli.dev.backends import Backends
from hatchet_cli.dev.children import Record
from hatchet_cli.reports.printable import printable
from hatchet_cli.runs import JobRun

__all__ = ["View"]

_ROUTINE: Final = frozenset({"info", "debug"})
_META: Final = frozenset({"event", "level", "logger", "timestamp"})


class View:
    """Prints to stdout, a line for each thing that happens."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._queues: set[str] = set()
        self._told: set[str] = set()
        self._lines: dict[str, Callable[[Record], None]] = {
            "worker.started": self._worker_started,
            "event.routed": self._event_routed,
            "event.unmatched": self._event_unmatched,
            "event.dead_lettered": self._event_dead_lettered,
            "step.completed": self._step_completed,
            "step.failed": self._step_failed,
            "job.completed": self._job_completed,
            "job.failed": self._job_failed,
            "router.reloaded": self._reloaded,
            "router.reload_failed": self._reload_failed,
            "router.degraded": _nothing,  # the record before has told it all
        }

    def starting(self) -> None:
        """Say that the servers are being started, which takes seconds."""
        self._print(("Starting …", "dim"))

    def header(
        self, backends: Backends, folder: str, triggers: Sequence[str], workers: Sequence[str]
    ) -> None:
        """Show where everything is."""
        self._place("RabbitMQ", backends.amqp_url, backends.rabbitmq_ui, " (guest, guest)")
        self._place("Temporal", backends.temporal_address, backends.temporal_ui)
        self._place("Router", f"{folder}, listening for {', '.join(triggers) or 'nothing'}")
        self._place("Worker", ", ".join(workers) or "none: run `hatchet worker` yourself")
        self._console.print()

    def next_command(self, backends: Backends, key: str, data: str) -> None:
        """Show how to publish an event from elsewhere."""
        addresses = " ".join(
            f"{name}={backends.environment[name]}"
            for name in ("HATCHET_AMQP_URL", "TEMPORAL_ADDRESS")
            if name in backends.environment
        )
        self._print(("Next, from another terminal:", "bold"))
        self._print((f"  {f'{addresses} {_publish(key, data)}'.strip()}", ""))
        self._print(("Ctrl-C ends everything.", "dim"))
        self._console.print()

    def next_run(self, key: str, data: str) -> None:
        """Show what to do after a run that ends by itself."""
        self._print(("Next:", "bold"), (" run this without --once, look into the web UIs,", ""))
        self._print((f"  and publish an event of your own: {_publish(key, data)}", ""))

    def record(self, record: Record) -> None:
        """Show a record of the router or a worker, if it is of interest to a person."""
        show = self._lines.get(str(record["event"]))
        if show is not None:
            show(record)
        elif record.get("level") not in _ROUTINE:
            details = " ".join(
                f"{key}={value}" for key, value in record.items() if key not in _META
            )
            self._print((f"! {record['event']} {details}", "yellow"))

    def result(self, runs: Sequence[JobRun]) -> None:
        """Show how the jobs of an event ended."""
        completed = sum(run.completed for run in runs)
        style = "bold green" if runs and completed == len(runs) else "bold red"
        self._print((f"{completed} of {counted(len(runs), 'job')} completed", style))
        for run in runs:
            if not run.completed:
                self._print((f"  {run.workflow}/{run.job} {run.status.lower()}: ", "red"))
                self._print((f"    {run.message}", ""))

    def _place(self, name: str, where: str, ui: str | None = None, note: str = "") -> None:
        link = (f"   web UI {ui}{note}", "") if ui else ("", "")
        self._print((f"{name:<10}", "bold"), (where, ""), link)

    def _event_routed(self, record: Record) -> None:
        jobs: list[dict[str, Any]] = record["jobs"]
        for workflow in dict.fromkeys(job["workflow"] for job in jobs):
            names = ", ".join(job["job"] for job in jobs if job["workflow"] == workflow)
            again = all(job["duplicate"] for job in jobs if job["workflow"] == workflow)
            self._print(
                ("● ", "cyan"),
                (str(record["event_key"]), "bold"),
                (f" {record['event_id']}", "dim"),
                (" was started before: " if again else " starts ", ""),
                (f"{workflow}", "cyan"),
                (f": {names}", ""),
            )

        self._waiting(jobs)

    def _waiting(self, jobs: Sequence[dict[str, Any]]) -> None:
        """Tell of jobs that nobody here runs; without workers of ours, nobody knows."""
        if not self._queues:
            return
        for job in jobs:
            if job["queue"] not in self._queues and not job["duplicate"]:
                here = ", ".join(sorted(self._queues))
                self._print(
                    ("! ", "yellow"),
                    (str(job["job"]), "bold"),
                    (f" waits: no worker here runs queue {job['queue']}, only {here}; ", "yellow"),
                    ("add it to queues of a Worker, or start another worker", "yellow"),
                )

    def _worker_started(self, record: Record) -> None:
        self._queues.update(record["queues"])

    def _event_unmatched(self, record: Record) -> None:
        self._print(("○ ", "dim"), (str(record["event_key"]), "bold"), (" matches nothing", "dim"))

    def _event_dead_lettered(self, record: Record) -> None:
        self._print(
            ("✗ ", "red"),
            (str(record["event_key"]), "bold"),
            (f" to dead letters, {record['reason']}: {record['detail']}", "red"),
        )

    def _step_completed(self, record: Record) -> None:
        self._print(("  ✓ ", "green"), *_step(record), (f"  {record['seconds']:.2f} s", "dim"))

    def _step_failed(self, record: Record) -> None:
        if not record["will_retry"]:
            self._told.add(record["workflow_id"])
        self._print(
            ("  ✗ ", "red"),
            *_step(record),
            (f"  attempt {record['attempt']}: ", "red"),
            (str(record["message"]), ""),
            ("" if record["will_retry"] else " (the last)", "red"),
        )

    def _job_completed(self, record: Record) -> None:
        self._told.discard(record["workflow_id"])
        self._print(("✓ ", "green"), (str(record["job"]), "bold"), (" completed", ""))

    def _job_failed(self, record: Record) -> None:
        self._print(("✗ ", "red"), (str(record["job"]), "bold"), (" failed", "red"))
        if record["workflow_id"] in self._told:  # its step has said why
            self._told.remove(record["workflow_id"])
        else:
            self._print((f"    {record['message']}", ""))

    def _reloaded(self, record: Record) -> None:
        changes = [
            f"{what} {', '.join(record[what])}"
            for what in ("added", "changed", "removed")
            if record[what]
        ]
        self._print(
            ("↻ ", "cyan"),
            ("workflow files reloaded", "bold"),
            (f": {'; '.join(changes) or 'nothing differs'}", ""),
        )
        for problem in record.get("warnings", ()):
            self._print((f"    {problem}", "yellow"))

    def _reload_failed(self, record: Record) -> None:
        self._print(
            ("✗ ", "red"),
            ("workflow files not reloaded", "bold"),
            (", those from before stay in force", "red"),
        )
        for problem in record.get("problems", ("a fault of the router: see its log",)):
            self._print((f"    {problem}", ""))

    def _print(self, *parts: tuple[str, str]) -> None:
        self._console.print(Text.assemble(*((printable(text), style) for text, style in parts)))


def _nothing(_record: Record) -> None:
    """Show nothing."""


def _publish(key: str, data: str) -> str:
    return f"hatchet publish {key} --data {shlex.quote(data)} --wait"


def _step(record: Record) -> tuple[tuple[str, str], ...]:
    return (
        (f"{record['job']}/{record['step']}", ""),
        (f"  {record['action']}", "cyan"),
    )
