from __future__ import annotations

import pytest

from hatchet_schemas.checks.suggestions import SURE_LIKENESS, Suggestions, listed


@pytest.mark.parametrize(
    ("name", "near"),
    [("kye", "key"), ("KEY", "key"), ("sourc", "source"), ("zzz", None), (0, None), ("", None)],
)
def test_the_name_that_is_most_like_a_wrong_one_is_suggested(
    name: object, near: str | None
) -> None:
    assert Suggestions().near(name, ("id", "key", "time", "source")) == near


def test_a_name_that_may_be_right_has_to_be_closer_to_be_called_wrong() -> None:
    assert Suggestions().near("kye", ("key",), likeness=SURE_LIKENESS) is None
    assert Suggestions().near("cuont", ("count",), likeness=SURE_LIKENESS) == "count"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "there are none"),
        (["a"], "there is 'a'"),
        (["a", "b"], "there are 'a', 'b'"),
        (
            [str(number) for number in range(11)],
            "there are '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', …",
        ),
    ],
)
def test_where_no_name_is_near_those_that_there_are_are_listed(names: list[str], said: str) -> None:
    assert listed(names) == said
    assert Suggestions().said("zzz", names) == said


def test_a_suggestion_has_the_form_that_is_to_be_written() -> None:
    assert Suggestions().said("kye", ["key"], ".event.{}") == "did you mean .event.key?"


def test_the_work_for_one_file_is_bounded() -> None:
    """Comparing names is slow, and a file can hold thousands of wrong ones."""
    suggestions = Suggestions()

    assert [suggestions.near("kye", ["key"]) for _ in range(60)].count("key") == 50
    assert Suggestions().near("kye", [*map(str, range(200)), "key"]) is None
    assert Suggestions().near("k" * 101, ["k" * 100]) is None
