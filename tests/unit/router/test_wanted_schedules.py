"""The schedules that files want."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hatchet_router.schedule_notes import ScheduleNote
from hatchet_router.wanted_schedules import WantedSchedule, family_of, wanted_schedules
from hatchet_schemas import Workflow

STEP = {"id": "say", "actionId": "echo:say", "timeout": "10s"}


def report(*crons: str | dict[str, Any], **fields: Any) -> Workflow:
    """Return a workflow with jobs ``a`` and ``b`` that the clock starts."""
    triggers = [{"schedule": cron} if isinstance(cron, str) else cron for cron in crons]
    jobs: dict[str, Any] = {
        "a": {"steps": [STEP]},
        "b": {"steps": [STEP], "queue": "slow", "timeout": "1h"},
    }
    return Workflow.model_validate(
        {"name": "Report", "on": {"cron": triggers}, "jobs": jobs, **fields}, strict=False
    )


def wanted(
    workflow: Workflow, existing: tuple[WantedSchedule, ...] = (), **options: Any
) -> tuple[WantedSchedule, ...]:
    """Return what ``workflow`` wants where ``existing`` is what there is."""
    notes = [each.note for each in existing]
    return tuple(wanted_schedules("hatchet", [workflow], notes, **options))


def prints(schedules: tuple[WantedSchedule, ...]) -> list[str]:
    """Return the fingerprints."""
    return [each.note.fingerprint for each in schedules]


def test_there_is_one_schedule_for_each_job_and_trigger() -> None:
    """Under ids that tell them apart."""
    schedules = wanted(report("@daily", "@hourly"))

    assert [(each.id, each.workflow_id, each.note.schedule) for each in schedules] == [
        ("hatchet/Report/a", "Report/a/~cron@hatchet", "@daily"),
        ("hatchet/Report/b", "Report/b/~cron@hatchet", "@daily"),
        ("hatchet/Report/a/2", "Report/a/~cron@hatchet/2", "@hourly"),
        ("hatchet/Report/b/2", "Report/b/~cron@hatchet/2", "@hourly"),
    ]
    assert {each.of for each in schedules} == {2}
    assert [each.task_queue for each in schedules[:2]] == ["default", "slow"]
    assert [each.timeout for each in schedules[:2]] == [None, timedelta(hours=1)]


def test_the_schedules_of_a_workflow_are_one_family() -> None:
    """Whatever its name holds, and whatever other names begin with."""
    schedules = wanted(report("@daily", "@hourly", name="a/b"))

    (family,) = {family_of(each.id) for each in schedules}
    assert family != family_of(wanted(report("@daily", name="a"))[0].id)


def test_files_that_only_events_start_want_none() -> None:
    """The clock has nothing to do with them."""
    assert wanted(report(on="order.paid")) == ()


def test_definition_and_vars_travel_along() -> None:
    """The workflow's vars go before those of the settings."""
    workflow = report("@daily", vars={"b": 2})

    a, b = wanted(workflow, variables={"a": 1, "b": 1})

    assert a.input.definition is workflow.jobs["a"]
    assert a.input.vars == {"a": 1, "b": 2}
    assert a.input.schedule == b.input.schedule == "hatchet/Report"


def test_the_jobs_of_a_workflow_share_a_draw() -> None:
    """Triggers draw for themselves, and what is no keyword stays."""
    schedules = wanted(report("random_daily", "random_daily", "0 9 * * mon"))

    expressions = [each.note.expression for each in schedules]
    assert expressions[0] == expressions[1] != "random_daily"
    assert expressions[2] == expressions[3] != expressions[0]
    assert expressions[4:] == ["0 9 * * mon"] * 2


@pytest.mark.parametrize(
    "later",
    [
        report("random_daily", description="Edited"),
        report({"schedule": "random_daily", "timezone": "Asia/Tokyo", "overlap": "allow"}),
        report("@hourly", "random_daily"),
        report("random_daily", jobs={"z": {"steps": [STEP]}, "a": {"steps": [STEP]}}),
    ],
    ids=["other words", "another time zone", "a trigger before it", "other jobs"],
)
def test_an_edit_draws_no_new_time(later: Workflow) -> None:
    """Also not where the keyword is now the second trigger, or other jobs are started."""
    before = wanted(report("random_daily"))

    after = wanted(later, before)

    drawn = {each.note.expression for each in after if each.note.schedule == "random_daily"}
    assert drawn == {before[0].note.expression}


def test_another_trigger_may_go_and_the_draw_stays() -> None:
    """Also for a job that comes at the same moment."""
    before = wanted(report("@hourly", "random_daily"))
    jobs = {"a": {"steps": [STEP]}, "new": {"steps": [STEP]}}

    after = wanted(report("random_daily", jobs=jobs), before)

    assert [each.id for each in after] == ["hatchet/Report/a/2", "hatchet/Report/new/2"]
    assert {each.note.expression for each in after} == {before[-1].note.expression}


def test_another_keyword_draws_anew() -> None:
    """In the same slot."""
    before = wanted(report("random_daily"))

    after = wanted(report("random_hourly"), before)

    assert [each.id for each in after] == [each.id for each in before]
    assert after[0].note.expression != before[0].note.expression


def test_what_is_wanted_again_is_the_same() -> None:
    """Nothing depends on when or where it is asked, or on what is there."""
    before = wanted(report("random_daily", "@hourly"), variables={"a": 1})

    assert wanted(report("random_daily", "@hourly"), before, variables={"a": 1}) == before


@pytest.mark.parametrize(
    "later",
    [
        report("@weekly"),
        report({"schedule": "@daily", "timezone": "Asia/Tokyo"}),
        report({"schedule": "@daily", "overlap": "allow"}),
        report({"schedule": "@daily", "catch-up": "1h"}),
        report({"schedule": "@daily", "jitter": "1s"}),
        report("@daily", vars={"a": 1}),
        report("@daily", defaults={"queue": "fast", "timeout": "20s"}, jobs={
            job: {"steps": [{"id": "say", "actionId": "echo:say"}]} for job in "ab"
        }),
        report("@daily", jobs={job: {"steps": [STEP], "timeout": "2h"} for job in "ab"}),
        report("@daily", jobs={job: {"steps": [STEP]} for job in "abc"}),
    ],
    ids=["schedule", "zone", "overlap", "catch-up", "jitter", "vars", "steps", "timeout", "jobs"],
)  # fmt: skip
def test_whatever_is_edited_shows_in_the_fingerprint(later: Workflow) -> None:
    """So that it reaches Temporal."""
    before = wanted(report("@daily"))

    assert not set(prints(before)) & set(prints(wanted(later, before)))


def test_search_attributes_show_in_the_fingerprint() -> None:
    """Once an administrator has registered them, the schedules get them."""
    before = wanted(report("@daily"))

    assert not set(prints(before)) & set(prints(wanted(report("@daily"), search_attributes=True)))


def test_an_edit_of_one_job_leaves_the_others_alone() -> None:
    """Only its own schedule is written."""
    edited = report("@daily", jobs={"a": {"steps": [STEP]}, "b": {"steps": [STEP]}})

    before, after = prints(wanted(report("@daily"))), prints(wanted(edited))

    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_note_of_a_later_version_is_understood() -> None:
    """It may say more."""
    (note, *_) = [each.note for each in wanted(report("@daily"))]

    assert ScheduleNote.model_validate({**note.model_dump(), "more": 1}) == note
