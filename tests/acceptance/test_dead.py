"""`hatchet dead` as operators and their scripts have it: output, exit codes, what it does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pika
import pytest
from tests.acceptance.conftest import Project, Result, RunningCommand, workflow
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack

Put = Callable[..., str]

# What a list tells of each letter; a name that changes breaks scripts.
FIELDS = {
    "attempts",
    "body_bytes",
    "event_id",
    "exchange",
    "first_time",
    "key",
    "kind",
    "message",
    "queue",
    "replayed_by",
    "replayed_time",
    "router_version",
    "source",
    "time",
    "workflows",
}


@pytest.fixture
def routers() -> list[RunningCommand]:
    """The routers that run."""
    return []


@pytest.fixture
def routed(
    project: Project, lifetime: ExitStack, eventually: Eventually, routers: list[RunningCommand]
) -> Project:
    """A project whose router runs, and which wants `order.paid` of more than 100."""
    text = workflow("Billing", "order.paid", "served-by-nobody", message="hi")
    project.write(
        ".hatchet/billing.yaml",
        text.replace("on: order.paid", "on:\n  - event: order.paid\n    if: .amount > 100"),
    )
    router = lifetime.enter_context(project.running("router"))
    routers.append(router)
    eventually(lambda: router.has_said("router.ready"))
    return project


@pytest.fixture
def put(routed: Project, stack: DevStack) -> Put:
    """Put a letter of the project's router, as old as is said; return its event's id."""

    def one(key: str = "order.paid", age: timedelta = timedelta(0), **headers: Any) -> str:
        event_id = uuid.uuid4().hex
        time = (datetime.now(UTC) - age).isoformat()
        reason = {
            "hatchet-reason": "condition-failed",
            "hatchet-detail": "no field 'amount'",
            "hatchet-queue": routed.environment["HATCHET_QUEUE"],
            "hatchet-workflows": ["Billing"],
            "hatchet-time": time,
            "hatchet-first-time": time,
            "hatchet-attempts": 1,
        }
        connection = pika.BlockingConnection(pika.URLParameters(stack.rabbitmq.amqp_url))
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(
            "hatchet.dead-letters",
            key,
            b'{"amount": 200}',
            pika.BasicProperties(message_id=event_id, headers={**reason, **headers}),
            mandatory=True,
        )
        connection.close()
        return event_id

    return one


@pytest.fixture
def own(routed: Project) -> Callable[..., Result]:
    """Run a command of `hatchet dead` on the letters of the project's own queue."""

    def run(command: str, *arguments: str, **variables: str) -> Result:
        queue = routed.environment["HATCHET_QUEUE"]
        return routed.hatchet("dead", command, "--queue", queue, *arguments, **variables)

    return run


def listed(own: Callable[..., Result], *arguments: str) -> list[str]:
    """Return the ids of the letters that are listed."""
    result = own("list", "-o", "jsonl", *arguments)
    assert result.code == (0 if result.stdout else 4), result.stderr
    return [json.loads(line)["event_id"] for line in result.stdout.splitlines()]


def test_an_event_that_fails_is_listed_shown_and_replayed_once_its_cause_is_mended(
    routed: Project,
    own: Callable[..., Result],
    eventually: Eventually,
    routers: list[RunningCommand],
) -> None:
    """The whole way of it: nothing is made up here."""
    published = routed.hatchet("publish", "order.paid", "-d", '{"total":200}', "--id", "e-1")
    assert published.code == 0
    eventually(lambda: listed(own) == ["e-1"])

    shown = own("show", "e-1")
    text = own("list")
    body = own("show", "e-1", "--body")
    assert (shown.code, text.code, body.code) == (0, 0, 0)
    assert "condition-failed" in text.stdout
    assert "no field 'amount'" in text.stdout
    assert "200" not in text.stdout
    for line in ("event_id: e-1", "attempts: 1", '    "total": 200'):
        assert line in shown.stdout
    assert body.stdout == '{"total":200}'

    routers[0].end()
    file = routed.folder / ".hatchet" / "billing.yaml"
    file.write_text(file.read_text().replace(".amount", ".total"))
    with routed.running("router") as mended:
        eventually(lambda: mended.has_said("router.ready"))
        replayed = own("replay", "--id", "e-1", "-o", "json")
        eventually(lambda: mended.has_said("event.routed"))

    assert replayed.code == 0, replayed.stderr
    [outcome] = json.loads(replayed.stdout)
    assert (outcome["result"], outcome["attempts"]) == ("replayed", 1)
    assert '"dead_letter.replayed"' in replayed.stderr
    assert listed(own) == []


def test_a_list_has_these_fields_which_scripts_rely_on(
    put: Put, own: Callable[..., Result]
) -> None:
    put()

    [record] = json.loads(own("list", "-o", "json").stdout)
    [full] = json.loads(own("show", "-o", "json").stdout)

    assert set(record) == FIELDS
    assert set(full) == FIELDS | {"properties", "headers", "body"}
    assert full["body"] == '{"amount": 200}'


def test_letters_are_selected(put: Put, own: Callable[..., Result]) -> None:
    old = put(age=timedelta(hours=3))
    other = put(key="user:created.v2", **{"hatchet-reason": "undecodable"})

    assert listed(own) == [old, other]
    assert listed(own, "--limit", "1") == [old]
    assert listed(own, "--id", other) == [other]
    assert listed(own, "--key", "user:#") == [other]
    assert listed(own, "--key", "order.*") == [old]
    assert listed(own, "--kind", "undecodable") == [other]
    assert listed(own, "--workflow", "Billing") == [old, other]
    assert listed(own, "--older-than", "1h30m") == [old]
    assert listed(own, "--newer-than", "1h30m") == [other]
    assert listed(own, "--workflow", "Nobody's") == []


@pytest.mark.parametrize("command", ["purge", "replay"])
def test_more_than_one_is_only_told_of_until_it_is_confirmed(
    put: Put, own: Callable[..., Result], command: str
) -> None:
    ids = [put(), put()]

    dry = own(command, "-o", "jsonl")
    left = listed(own)
    real = own(command, "--yes", "-o", "jsonl")

    assert (dry.code, real.code) == (0, 0), real.stderr
    results = [json.loads(line)["result"] for line in dry.stdout.splitlines()]
    assert results == [f"would be {command}d".replace("playd", "played")] * 2
    assert "--yes does it" in dry.stderr
    assert left == ids
    assert [json.loads(line)["event_id"] for line in real.stdout.splitlines()] == ids
    assert listed(own) == []


def test_a_single_one_that_was_chosen_is_purged_at_once(
    put: Put, own: Callable[..., Result]
) -> None:
    first, second = put(), put()

    result = own("purge", "--id", first)

    assert result.code == 0
    assert "1 purged" in result.stderr
    assert '"dead_letter.purged"' in result.stderr
    assert listed(own) == [second]


def test_what_is_older_than_temporal_remembers_is_not_replayed(
    put: Put, own: Callable[..., Result]
) -> None:
    old = put(age=timedelta(days=400))
    new = put()

    result = own("replay", "--yes", "-o", "jsonl")

    assert result.code == 1
    outcomes = {line["event_id"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert outcomes[new]["result"] == "replayed"
    assert outcomes[old]["result"] == "refused"
    assert "--force" in outcomes[old]["detail"]
    assert listed(own) == [old]
    assert own("replay", "--id", old, "--force").code == 0
    assert listed(own) == []


def test_without_temporal_a_replay_is_refused_unless_it_is_forced(
    put: Put, own: Callable[..., Result]
) -> None:
    event_id = put()
    away = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}

    refused = own("replay", "--id", event_id, **away)
    left = listed(own)
    forced = own("replay", "--id", event_id, "--force", **away)

    assert refused.code == 3
    assert "--force" in refused.stderr
    assert left == [event_id]
    assert forced.code == 0
    assert listed(own) == []


def test_a_letter_of_another_queue_is_not_replayed_here(
    put: Put, routed: Project, own: Callable[..., Result]
) -> None:
    event_id = put(**{"hatchet-queue": "theirs"})

    result = routed.hatchet("dead", "replay", "--id", event_id, "-o", "json")

    assert result.code == 1
    [outcome] = json.loads(result.stdout)
    assert outcome["detail"] == "it came from queue 'theirs'; set HATCHET_QUEUE to replay it there"
    assert routed.hatchet("dead", "purge", "--id", event_id).code == 0


@pytest.mark.parametrize("command", ["list", "show", "replay", "purge"])
def test_when_nothing_matches_it_is_exit_code_4(own: Callable[..., Result], command: str) -> None:
    result = own(command, "--kind", "unheard-of", "-o", "json")

    assert result.code == 4
    assert json.loads(result.stdout) == []
    assert "no dead letter matches" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--key", "a.b*"), "whole words"),
        (("list", "--older-than", "soon"), "'soon' is not a duration"),
        (("purge", "--limit", "0"), "--limit"),
        (("bury",), "No such command"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    offline_project: Project, arguments: tuple[str, ...], said: str
) -> None:
    result = offline_project.hatchet("dead", *arguments)

    assert result.code == 2
    assert said in result.stderr


@pytest.mark.parametrize("arguments", [("list",), ("purge",), ("replay", "--force")])
def test_a_broker_that_is_away_is_exit_code_3(
    offline_project: Project, arguments: tuple[str, ...]
) -> None:
    result = offline_project.hatchet("dead", *arguments)

    assert result.code == 3
    assert "127.0.0.1:1" in result.stderr
    assert "s3cret" not in result.stderr
