from __future__ import annotations

import json
import re

import pytest

from hatchet_cli.reports.problems import problem_text, problems_as_github, problems_as_json
from hatchet_schemas import Problem

ERROR = Problem("a.yaml", 3, 5, "no such", "unknown-field", "\tx:  y")
WARNING = Problem("b.yaml", 1, 1, "matches little", "empty-word", "on: a..b")


def test_a_problem_is_told_with_its_line_and_a_caret() -> None:
    assert problem_text(ERROR) == ("a.yaml:3:5: no such [unknown-field]\n    \tx:  y\n    \t   ^")


def test_a_warning_is_marked_as_one() -> None:
    assert problem_text(WARNING).splitlines()[0] == (
        "b.yaml:1:1: warning: matches little [empty-word]"
    )


def test_a_problem_of_a_whole_file_has_no_excerpt() -> None:
    problem = Problem("c.yaml", 1, 1, "cannot be read", "unreadable")

    assert problem_text(problem) == "c.yaml:1:1: cannot be read [unreadable]"
    assert problem_text(problem, color=True).count("\n") == 0


def test_the_name_of_a_file_cannot_steer_the_terminal() -> None:
    assert problem_text(Problem("\x1b[2J.yaml", 1, 1, "m", "unreadable")).isprintable()


@pytest.mark.parametrize(("problem", "shade"), [(ERROR, "\x1b[31m"), (WARNING, "\x1b[33m")])
def test_colours_add_nothing_but_colours(problem: Problem, shade: str) -> None:
    colored = problem_text(problem, color=True)

    assert shade in colored
    assert colored.splitlines()[0].endswith("\x1b[0m")
    assert re.sub(r"\x1b\[\d+m", "", colored) == problem_text(problem)


def test_json_has_stable_fields() -> None:
    assert json.loads(problems_as_json([ERROR, WARNING])) == [
        {
            "path": "a.yaml",
            "line": 3,
            "column": 5,
            "severity": "error",
            "rule": "unknown-field",
            "message": "no such",
            "excerpt": "\tx:  y",
        },
        {
            "path": "b.yaml",
            "line": 1,
            "column": 1,
            "severity": "warning",
            "rule": "empty-word",
            "message": "matches little",
            "excerpt": "on: a..b",
        },
    ]
    assert problems_as_json([]) == "[]"


def test_a_workflow_command_names_file_line_and_column() -> None:
    assert list(problems_as_github([ERROR, WARNING])) == [
        "::error file=a.yaml,line=3,col=5,title=hatchet unknown-field::no such [unknown-field]",
        "::warning file=b.yaml,line=1,col=1,title=hatchet empty-word::matches little [empty-word]",
    ]


def test_a_workflow_command_cannot_be_broken_out_of() -> None:
    problem = Problem("a,b:c%.yaml", 1, 1, "50%\r\n::error::x, y: z", "unknown-field")

    [command] = problems_as_github([problem])

    assert command == (
        "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=hatchet unknown-field::"
        "50%25%0D%0A::error::x, y: z [unknown-field]"
    )
