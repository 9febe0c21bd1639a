from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import Problem

PROBLEM = Problem("a.yaml", 2, 5, "it is wrong", "wrong-type", "on: 5")


def test_a_problem_reads_as_compilers_write() -> None:
    assert str(PROBLEM) == "a.yaml:2:5: it is wrong [wrong-type]"


def test_a_caret_points_at_the_column() -> None:
    assert PROBLEM.with_caret() == ("a.yaml:2:5: it is wrong [wrong-type]\n    on: 5\n        ^")


def test_tabs_keep_their_width_before_the_caret() -> None:
    problem = dataclasses.replace(PROBLEM, excerpt="on:\t5")
    assert problem.with_caret().endswith("\n    on:\t5\n       \t^")


def test_without_an_excerpt_there_is_no_caret() -> None:
    problem = dataclasses.replace(PROBLEM, excerpt="")
    assert problem.with_caret() == str(problem)


def test_problems_are_ordered_by_place() -> None:
    places = [("b", 1, 1), ("a", 10, 1), ("a", 2, 9), ("a", 2, 10)]
    ordered = sorted(Problem(*place, "m", "r") for place in places)
    assert [(problem.path, problem.line, problem.column) for problem in ordered] == [
        ("a", 2, 9),
        ("a", 2, 10),
        ("a", 10, 1),
        ("b", 1, 1),
    ]


def test_a_problem_is_a_value() -> None:
    assert dataclasses.replace(PROBLEM) == PROBLEM
    assert len({PROBLEM, dataclasses.replace(PROBLEM)}) == 1
    (field, *_) = (field.name for field in dataclasses.fields(PROBLEM))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(PROBLEM, field, 3)


@given(st.text(st.characters(exclude_categories=["Cc"]), min_size=1), st.integers(1, 300))
def test_a_caret_can_be_drawn_for_any_column(excerpt: str, column: int) -> None:
    problem = dataclasses.replace(PROBLEM, excerpt=excerpt, column=column)
    head, shown, pointing = problem.with_caret().split("\n")
    assert head == str(problem)
    assert shown == f"    {excerpt}"
    assert len(pointing) == 4 + min(column - 1, len(excerpt)) + 1
