"""What to start for an event."""

from collections.abc import Callable
from datetime import timedelta

from hatchet_router.planning import plan
from hatchet_schemas import Definition, Event, Workflow


def test_there_is_one_start_for_each_job_of_each_workflow(
    define: Callable[..., Definition], event: Event
) -> None:
    """In the order of the files, under ids that tell them apart."""
    workflows = [
        define("sign up", jobs=("mail", "chat")).workflow,
        define("audit", jobs=("mail",)).workflow,
    ]

    requests = plan(event, workflows)

    assert [request.workflow_id for request in requests] == [
        "sign up/mail/e-1",
        "sign up/chat/e-1",
        "audit/mail/e-1",
    ]
    assert [request.workflow_type for request in requests] == ["mail", "chat", "mail"]
    assert [request.task_queue for request in requests] == [
        "mail-queue",
        "chat-queue",
        "mail-queue",
    ]
    assert {request.of for request in requests} == {3}


def test_the_definition_and_the_event_travel_along(
    define: Callable[..., Definition], event: Event
) -> None:
    """A running job keeps the definition it was started with."""
    workflow = define("sign up", jobs=("mail",)).workflow

    (request,) = plan(event, [workflow])

    assert request.input.definition is workflow.jobs["mail"]
    assert request.input.event is event
    assert request.input.workflow == "sign up"


def test_the_timeout_of_the_job_bounds_the_run(
    define: Callable[..., Definition], event: Event
) -> None:
    """No timeout means no bound."""
    workflow = define("w", jobs=("a", "b")).workflow
    timed = workflow.jobs["b"].model_copy(update={"timeout": timedelta(minutes=5)})

    requests = plan(event, [Workflow(name="w", on=workflow.on, jobs={**workflow.jobs, "b": timed})])

    assert [request.timeout for request in requests] == [None, timedelta(minutes=5)]


def test_the_same_event_gives_the_same_ids_and_others_do_not(
    define: Callable[..., Definition], event: Event
) -> None:
    """That is how a job is started at most once."""
    workflows = [define("w").workflow]

    def id_of(**changes: object) -> str:
        return plan(event.model_copy(update=changes), workflows)[0].workflow_id

    assert id_of() == id_of(data={"other": 1}, key="other")
    assert len({id_of(), id_of(id="e-2"), id_of(source="shop"), id_of(source="bank")}) == 4


def test_ids_hold_nothing_but_safe_characters(
    define: Callable[..., Definition], event: Event
) -> None:
    """Temporal would take a line break or NUL into an id."""
    hostile = event.model_copy(update={"id": "../x\n\0\u202e" * 40})

    (request,) = plan(hostile, [define("w").workflow])

    assert request.workflow_id.isascii()
    assert request.workflow_id.isprintable()
    assert len(request.workflow_id) < 300


def test_no_workflows_start_nothing(event: Event) -> None:
    """An event that nobody wants is normal."""
    assert plan(event, []) == ()
