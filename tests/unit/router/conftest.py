"""What several tests of the router need: workflows in one line."""

from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import JsonValue

from hatchet_router import tracing
from hatchet_schemas import Definition, Event, Job, Step, Triggers, Workflow, parse_duration
from hatchet_schemas.actions import ActionId

Define = Callable[..., Definition]


@pytest.fixture
def define() -> Define:
    """Make a workflow from its name, its triggers and the names of its jobs.

    A trigger is a key, or a pair of a key and a condition.
    """

    def make(
        name: str,
        *events: str | tuple[str, str],
        jobs: tuple[str, ...] = ("job",),
        variables: dict[str, JsonValue] | None = None,
    ) -> Definition:
        step = Step(
            name="Say it",
            id="say",
            action_id=ActionId("echo:say"),
            timeout=parse_duration("10s"),
        )
        workflow = Workflow(
            name=name,
            on=Triggers.model_validate(
                [
                    event if isinstance(event, str) else {"event": event[0], "if": event[1]}
                    for event in events or (name.replace(" ", "-"),)
                ]
            ),
            vars=variables or {},
            jobs={job: Job(queue=f"{job}-queue", steps=(step,)) for job in jobs},
        )
        return Definition(f"{name}.yaml", workflow)

    return make


@pytest.fixture
def event() -> Event:
    """One event, always the same."""
    return Event.model_validate_json(
        '{"id": "e-1", "key": "user:create", "time": "2026-01-02T03:04:05Z", "data": {"a": 1}}'
    )


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What was traced."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("test"))
    return exporter
