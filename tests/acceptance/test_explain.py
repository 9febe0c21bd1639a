"""`hatchet explain`: what an event would start, told without a server."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from tests.acceptance.conftest import ROOT, Project, workflow

ORDER = workflow("Order paid", "order.paid", "internal", text="{{ .order.id }}").replace(
    "on: order.paid", "on:\n  - {event: order.paid, if: .amount > 100}"
)
PAID = '{"amount": 140, "order": {"id": "o-1"}}'


@pytest.fixture
def orders(offline_project: Project) -> Project:
    """A project with one workflow, for orders of a certain size."""
    offline_project.write(".hatchet/order.yaml", ORDER)
    return offline_project


def test_what_starts_is_told_with_its_reasons(orders: Project) -> None:
    result = orders.hatchet("explain", "order.paid", "--data", PAID, "--id", "e-7")

    assert result.code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "● Order paid  .hatchet/order.yaml",
        "  on order.paid",
        "     if .amount > 100 is true: .amount is 140",
        "  job speak, queue internal, timeout 1m",
        "     id Order paid/speak/e-7",
        "     1 say  echo:say  Say it",
        '       text: "o-1"',
        "",
    ]


def test_a_condition_that_is_false_is_exit_code_4(orders: Project) -> None:
    result = orders.hatchet("explain", "order.paid", "-d", '{"amount": 40}')

    assert result.code == 4
    assert "if .amount > 100 is false: .amount is 40" in result.stdout


def test_a_key_that_nothing_matches_is_exit_code_4(orders: Project) -> None:
    result = orders.hatchet("explain", "order:paid", "-d", PAID)

    assert result.code == 4
    assert "Did you mean order.paid?" in result.stdout
    assert "order.paid: before 'paid' the key has ':', the pattern '.'" in result.stdout


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{}", "the event goes to the dead letters"),
        ('{"amount": 140}', "no field 'order'"),
    ],
)
def test_what_fails_on_the_event_is_exit_code_1(orders: Project, data: str, said: str) -> None:
    result = orders.hatchet("explain", "order.paid", "-d", data)

    assert result.code == 1
    assert said in result.stdout


def test_data_that_no_router_takes_is_exit_code_1(orders: Project) -> None:
    result = orders.hatchet("explain", "order.paid", "-d", PAID, HATCHET_MAX_BODY_BYTES="8")

    assert result.code == 1
    assert "goes to the dead letters, too-large" in result.stderr


def test_data_may_come_from_a_file_or_from_stdin(orders: Project) -> None:
    orders.write("event.json", PAID)

    assert orders.hatchet("explain", "order.paid", "-d", "@event.json").code == 0
    assert orders.hatchet("explain", "order.paid", "-d", "-", stdin=PAID).code == 0


def test_it_may_be_told_as_json(orders: Project) -> None:
    result = orders.hatchet("explain", "order.paid", "-d", PAID, "-o", "json")

    told = json.loads(result.stdout)
    assert result.code == 0
    assert told["matches"] == ["Order paid"]
    assert told["workflows"][0]["jobs"][0]["steps"][0]["with"] == {"text": "o-1"}


def test_another_folder_and_the_variables_of_the_settings_are_used(orders: Project) -> None:
    (orders.folder / "other").mkdir()
    orders.write("other/a.yaml", workflow("A", "k", "default", message="{{ .vars.region }}"))

    result = orders.hatchet("explain", "k", "--dir", "other", HATCHET_VARS='{"region": "eu"}')

    assert result.code == 0, result.stdout
    assert 'message: "eu"' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("order.*",), "is no event key"),
        (("",), "is no event key"),
        (("order.paid", "-d", "{"), "--data is not JSON"),
        ((), "Missing argument"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    orders: Project, arguments: tuple[str, ...], said: str
) -> None:
    result = orders.hatchet("explain", *arguments)

    assert result.code == 2, result.stdout
    assert said in result.stderr


def test_files_with_errors_are_told_instead(orders: Project) -> None:
    orders.write(".hatchet/broken.yaml", "name: B\n")

    result = orders.hatchet("explain", "order.paid", "-d", PAID)

    assert (result.code, result.stdout) == (1, "")
    assert ".hatchet/broken.yaml:1:1" in result.stderr
    assert "2 errors in the workflow files" in result.stderr


def test_mere_warnings_stop_nothing_and_are_told(orders: Project) -> None:
    orders.write(".hatchet/b.yaml", workflow("B", "a..b", "default", message="hi"))

    result = orders.hatchet("explain", "order.paid", "-d", PAID)

    assert result.code == 0
    assert result.stderr.startswith(".hatchet/b.yaml:2:")
    assert ": warning: 'a..b'" in result.stderr


@pytest.mark.parametrize("command", ["explain order.paid", "explain order:paid", "graph"])
def test_what_the_document_shows_is_what_is_printed(offline_project: Project, command: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    [(arguments, shown)] = re.findall(
        rf"^\$ hatchet ({re.escape(command)}.*)\n((?:.*\n)*?)```", text, re.MULTILINE
    )
    offline_project.folder = ROOT / "examples" / "two-queues"

    result = offline_project.hatchet(*shlex.split(arguments))

    assert result.stdout.strip() == shown.strip()
