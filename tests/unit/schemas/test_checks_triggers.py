from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.routing import PatternTrie
from hatchet_schemas.checks.triggers import covers, trigger_findings
from hatchet_schemas.triggers import Triggers


def found(on: object) -> list[tuple[str, str | int]]:
    """Return the rule of each finding, and the number of the trigger."""
    triggers = Triggers.model_validate(on)
    return [(finding.rule, finding.loc[2]) for finding in trigger_findings(triggers)]


@pytest.mark.parametrize(
    ("key", "offset"),
    [("a..b", 2), (".a", 0), ("a.", 2), ("a:.b", 2), ("a.b:", 4), (":", 0), ("#.", 2), ("a..", 2)],
)
def test_an_empty_word_is_told_where_it_is(key: str, offset: int) -> None:
    [finding] = trigger_findings(Triggers.model_validate(key))

    assert (finding.rule, finding.offset) == ("empty-word", offset)


@pytest.mark.parametrize("key", ["a", "a.b", "a:b.c", "#", "*", "a.*", "#.a:#", "a-b/c@d"])
def test_a_key_of_whole_words_is_let_pass(key: str) -> None:
    assert found(key) == []


@pytest.mark.parametrize(
    ("events", "redundant"),
    [
        (["a", "a"], [1]),
        (["a", "b", "a", "a"], [2, 3]),
        (["a.b", "a.*"], [0]),
        (["a.*", "a.b"], [1]),
        (["a.*", "a.b", "a.#"], [0, 1]),
        (["#", "#.#"], [1]),
        (["#", "a:b"], [1]),
        (["a.#", "a"], [1]),
        ([{"event": "a", "if": ".x"}, "a"], [0]),
        (["a", {"event": "a", "if": ".x"}], [1]),
        ([{"event": "a", "if": ".x"}, "#"], [0]),
        ([{"event": "a.b", "if": ".x"}, {"event": "a.*", "if": ".x"}], [0]),
        ([{"event": "a", "if": ".x"}, {"event": "a", "if": ".x"}], [1]),
        # not redundant
        (["a", "b"], []),
        (["a.b", "a:b"], []),
        (["a.*", "a:b"], []),
        (["a.*", "a.b.c"], []),
        (["a.*", "*.a"], []),
        (["a.*", "a.#.b"], []),
        ([{"event": "a", "if": ".x"}, {"event": "a", "if": ".y"}], []),
        (["a", {"event": "#", "if": ".x"}], []),
        ([{"event": "a", "if": ".x"}, {"event": "#", "if": ".y"}], []),
    ],
)
def test_a_trigger_is_redundant_where_another_matches_all_that_it_does(
    events: list[object], redundant: list[int]
) -> None:
    assert found(events) == [("redundant-trigger", index) for index in redundant]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ({"cron": [{"schedule": "@daily"}, {"schedule": "@daily"}]}, [("redundant-trigger", 1)]),
        (
            {"cron": [{"schedule": "@daily"}], "schedule": [{"cron": "@daily"}]},
            [("redundant-trigger", 0)],
        ),
        (
            {"cron": [{"schedule": "@daily"}, {"schedule": "@daily", "timezone": "Europe/Berlin"}]},
            [],
        ),
        ({"cron": [{"schedule": "random_daily"}, {"schedule": "random_daily"}]}, []),
        ({"cron": [{"schedule": "@daily"}, {"schedule": "@hourly"}]}, []),
    ],
)
def test_a_time_is_redundant_where_it_stands_twice(
    on: object, expected: list[tuple[str, int]]
) -> None:
    assert found(on) == expected


@pytest.mark.timeout(60)
def test_many_triggers_are_compared_within_bounds() -> None:
    assert len(found([f"*.a{index}" for index in range(4_000)] * 2)) == 4_000


KEYS = st.lists(st.sampled_from(["a", "b", "*", "#", ""]), min_size=1, max_size=4).flatmap(
    lambda words: st.lists(
        st.sampled_from(".:"), min_size=len(words) - 1, max_size=len(words) - 1
    ).map(
        lambda separators: (
            words[0]
            + "".join(mark + word for mark, word in zip(separators, words[1:], strict=True))
        )
    )
)
NO_WILDCARDS = KEYS.filter(lambda key: "*" not in key and "#" not in key)


def matches(pattern: str, key: str) -> bool:
    """Return what the router says."""
    trie = PatternTrie()
    trie.add(pattern, 0)
    return bool(trie.match(key))


@pytest.mark.parametrize(
    ("general", "specific", "key"),
    [
        ("*.b.#", "#.b.b", "x.y.b.b"),  # one word in place of any number
        ("a.#", "a.#:c", "a:c"),  # the separator before # is gone where it stands for nothing
    ],
)
def test_a_pattern_that_seems_to_cover_another_does_not(
    general: str, specific: str, key: str
) -> None:
    assert matches(specific, key)
    assert not matches(general, key)
    assert not covers(general, specific)


@given(KEYS, KEYS, NO_WILDCARDS)
def test_a_pattern_that_covers_another_matches_all_its_keys(
    general: str, specific: str, key: str
) -> None:
    if covers(general, specific) and matches(specific, key):
        assert matches(general, key)


@given(KEYS, NO_WILDCARDS)
def test_a_pattern_covers_a_key_exactly_if_it_matches_it(pattern: str, key: str) -> None:
    assert covers(pattern, key) == matches(pattern, key)


@given(KEYS)
def test_a_pattern_covers_itself(pattern: str) -> None:
    assert covers(pattern, pattern)
