"""Which workflows a key starts: the trie against a slow and plain reading of the rules."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hatchet_router import routing
from hatchet_router.routing import PatternTrie, RoutingTable
from hatchet_schemas import Definition, Triggers, Workflow
from hatchet_schemas.patterns import tokens
from hatchet_schemas.triggers import EventTrigger

words = st.sampled_from(["", "a", "b", "ab"])
wildcards = st.sampled_from(["*", "#"])
separators = st.sampled_from([".", ":"])


def _joined(parts: list[str], between: list[str]) -> str:
    return "".join(itertools.chain(*zip(["", *between], parts, strict=False)))


def texts(parts: st.SearchStrategy[str], longest: int = 6) -> st.SearchStrategy[str]:
    """Return words, joined by one or the other separator."""
    return st.lists(parts, min_size=1, max_size=longest).flatmap(
        lambda chosen: st.lists(separators, min_size=len(chosen) - 1, max_size=len(chosen) - 1).map(
            lambda between: _joined(chosen, between)
        )
    )


keys = texts(words)
patterns = texts(words | wildcards)


def expressions(pattern: str) -> list[re.Pattern[str]]:
    """Return the regular expressions that `pattern` stands for.

    There is one for each choice of which ``#`` stand for no word, and so go with a separator.
    """
    parts = tokens(pattern)
    hashes = [index for index, (_, word) in enumerate(parts) if word == "#"]
    found: list[re.Pattern[str]] = []
    for size in range(len(hashes) + 1):
        for empty in itertools.combinations(hashes, size):
            left = [part for index, part in enumerate(parts) if index not in empty]
            if not left:
                continue  # a key has at least one word
            left[0] = ("", left[0][1])
            meaning = {"*": "[^.:]*", "#": "[^.:]*(?:[.:][^.:]*)*"}
            found.append(
                re.compile(
                    "".join(
                        re.escape(separator) + meaning.get(word, re.escape(word))
                        for separator, word in left
                    )
                )
            )
    return found


def matches(pattern: str, key: str) -> bool:
    """Return whether `pattern` matches `key`, by the definition."""
    return any(expression.fullmatch(key) for expression in expressions(pattern))


def trie_matches(pattern: str, key: str) -> bool:
    trie = PatternTrie()
    trie.add(pattern, 7)
    return trie.match(key) == {7}


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("user:*", "user:create", True),
        ("user:*", "user", False),
        ("user:*", "user:", True),
        ("user:*", "user.create", False),
        ("user:*", "user:create:v2", False),
        ("user:*", "user:create.v2", False),
        ("user:#", "user", True),
        ("user:#", "user:create.v2", True),
        ("user:#", "user.create", False),
        ("user:#", "users", False),
        ("#", "anything:at.all", True),
        ("#", "", True),
        ("#.paid", "paid", True),
        ("#.paid", "order.paid", True),
        ("#.paid", "order:paid", False),
        ("#.paid", "a:b.paid", True),
        ("a.#.b", "a.b", True),
        ("a.#:b", "a:b", True),
        ("a.#:b", "a.b", False),
        ("a.#:b", "a.x:b", True),
        ("#.#", "x", True),
        ("*.#", "x", True),
        ("*.*", "x", False),
        ("#.*", "x", True),
        ("*", "", True),
        ("a.*.b", "a..b", True),
    ],
)
def test_patterns_mean_what_they_say(pattern: str, key: str, *, expected: bool) -> None:
    """A table to read, and a check of the definition itself."""
    assert trie_matches(pattern, key) is expected
    assert matches(pattern, key) is expected


@given(patterns, keys)
@example("#:#.a", "a")
@example("#.#:a", "b:a")
@example("a.#:#.a", "a.a")
@example("#.*:#.#", "a.b")
def test_a_pattern_matches_what_the_definition_says(pattern: str, key: str) -> None:
    """For all short patterns and keys over a small alphabet."""
    assert trie_matches(pattern, key) is matches(pattern, key)


@given(patterns.flatmap(lambda pattern: st.tuples(st.just(pattern), keys_of(pattern))))
def test_a_pattern_matches_the_keys_made_from_it(pair: tuple[str, str]) -> None:
    """Random keys mostly do not match; these all do."""
    pattern, key = pair

    assert trie_matches(pattern, key)


def keys_of(pattern: str) -> st.SearchStrategy[str]:
    """Return keys that ``pattern`` matches."""
    if all(word == "#" for _, word in tokens(pattern)):
        return keys
    return st.sampled_from(expressions(pattern)).flatmap(
        lambda expression: st.from_regex(
            expression.pattern.replace("[^.:]", "[ab]"), fullmatch=True
        )
    )


@given(st.lists(patterns, max_size=8), keys)
def test_many_patterns_match_as_each_would_alone(several: list[str], key: str) -> None:
    """Patterns share nodes of the trie, and nothing else."""
    trie = PatternTrie()
    for member, pattern in enumerate(several):
        trie.add(pattern, member)

    assert trie.match(key) == {
        member for member, pattern in enumerate(several) if matches(pattern, key)
    }


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count from how many places the trie looks at each word of a key."""
    original: Callable[..., Any] = routing._after
    counts: list[int] = []

    def counting(places: dict[Any, Any], token: tuple[str, str], *, first: bool) -> Any:
        counts.append(len(places))
        return original(places, token, first=first)

    monkeypatch.setattr(routing, "_after", counting)
    return counts


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        (".".join(["#.a"] * 60), ".".join("a" * 120)),
        (".".join(["#"] * 128), ".".join("a" * 120)),
        (":".join(["#.*"] * 60), ".".join("a" * 120)),
    ],
)
def test_no_pattern_takes_exponential_time(pattern: str, key: str, sizes: list[int]) -> None:
    """Each word of the key is looked at once, from no more places than the pattern has, twice."""
    trie = PatternTrie()
    trie.add(pattern, 1)

    trie.match(key)

    assert len(sizes) == len(tokens(key))
    assert max(sizes) <= 2 * len(tokens(pattern)) + 2


def test_a_key_is_compared_with_the_patterns_that_still_fit_only(sizes: list[int]) -> None:
    """A thousand other patterns cost nothing."""
    trie = PatternTrie()
    for member in range(1000):
        trie.add(f"service{member}.*.done", member)

    assert trie.match("service7.backup.done") == {7}
    assert sizes == [1, 1, 1]


def test_workflows_come_in_the_order_they_were_loaded(define: Callable[..., Definition]) -> None:
    """Whether by key or by pattern."""
    table = RoutingTable(
        [
            define("by pattern", "user:*"),
            define("by key", "user:create"),
            define("other", "user:delete"),
            define("all", "#"),
        ]
    )

    assert [found.workflow.name for found in table.match("user:create")] == [
        "by pattern",
        "by key",
        "all",
    ]
    assert [found.workflow.name for found in table.match("user:delete")] == [
        "by pattern",
        "other",
        "all",
    ]
    assert [found.workflow.name for found in table.match("order")] == ["all"]


def test_a_workflow_with_several_fitting_triggers_starts_once(
    define: Callable[..., Definition],
) -> None:
    """Triggers are alternatives."""
    table = RoutingTable([define("one", "user:create", "user:create", "user:*", "#", "*:create")])

    assert [found.workflow.name for found in table.match("user:create")] == ["one"]


def test_a_key_that_stands_twice_in_a_workflow_without_patterns_starts_it_once(
    define: Callable[..., Definition],
) -> None:
    """The short way through a table without patterns does not forget that."""
    table = RoutingTable([define("one", "a", "a"), define("two", "a")])

    assert [found.workflow.name for found in table.match("a")] == ["one", "two"]


@pytest.mark.parametrize("key", ["user", "user:created", "user.create", "USER:CREATE", "", "*"])
def test_a_key_matches_itself_alone(key: str, define: Callable[..., Definition]) -> None:
    """A wildcard in a key that comes from the bus is only a character."""
    assert RoutingTable([define("one", "user:create")]).match(key) == ()


def test_triggers_are_listed_once(define: Callable[..., Definition]) -> None:
    """They become the bindings of the router's queue."""
    table = RoutingTable([define("one", "b", "a.*"), define("two", "a.*", "a")])

    assert table.triggers == ("a", "a.*", "b")


def test_an_empty_table_matches_nothing() -> None:
    """A router without workflows is useless but well-behaved."""
    table = RoutingTable()

    assert table.triggers == ()
    assert table.match("a") == ()


def test_a_match_tells_the_conditions_of_the_triggers_that_fit(
    define: Callable[..., Definition],
) -> None:
    """One of them must hold; a trigger without a condition settles it."""
    table = RoutingTable(
        [
            define("one", ("user:create", ".a"), ("user:*", ".b"), ("order", ".c")),
            define("two", ("user:create", ".a"), "user:*"),
            define("three", "user:*", ("user:create", ".a")),
        ]
    )

    found = {
        match.workflow.name: [condition.source for condition in match.conditions]
        for match in table.match("user:create")
    }

    assert found == {"one": [".a", ".b"], "two": [], "three": []}


triggers = st.tuples(texts(words | wildcards, 3), st.sampled_from([None, ".x"]))
pools = st.lists(st.lists(triggers, max_size=3), min_size=1, max_size=5)
sets = st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=5)


@given(pools, sets, st.lists(keys, max_size=8))
@example([[("#", None)]], [[0], []], ["a"])
@example([[("a", None)], [("a", None)]], [[0, 1], [1]], ["a"])
@example([[("a", None)], [("a", None)]], [[0, 1], [1, 0]], ["a"])
def test_a_table_that_follows_another_matches_as_one_made_from_nothing(
    pool: list[list[tuple[str, str | None]]], chosen: list[list[int]], asked: list[str]
) -> None:
    """Whatever comes, goes, moves, or stands there twice; and the tables before stay the same."""
    made = [_definition(f"{number}", events) for number, events in enumerate(pool)]
    table = RoutingTable()
    tables: list[tuple[RoutingTable, list[Definition]]] = []
    for numbers in chosen:
        definitions = [made[number % len(made)] for number in numbers]
        table = table.followed_by(definitions)
        tables.append((table, definitions))

    for followed, definitions in tables:
        fresh = RoutingTable(definitions)
        assert followed.workflows == fresh.workflows
        assert followed.triggers == fresh.triggers
        for key in [*asked, *fresh.triggers]:
            assert followed.match(key) == fresh.match(key)


def _definition(name: str, events: list[tuple[str, str | None]]) -> Definition:
    triggers = Triggers.model_construct(
        events=tuple(EventTrigger(event=key or "none", if_=condition) for key, condition in events)
    )
    return Definition(name, Workflow.model_construct(name=name, on=triggers, jobs={}))


def test_a_trie_forgets_what_nobody_stands_for() -> None:
    """Else it would grow with each change of a file, as long as the router runs."""
    trie = PatternTrie()
    trie.add("a.*.#", 1)
    trie.add("a.*", 2)
    trie.discard("a.*.#", 1)

    assert trie.match("a.b") == {2}
    assert not trie.is_empty

    trie.discard("a.*", 2)

    assert trie.is_empty


def test_a_trie_and_its_copy_go_ways_of_their_own() -> None:
    """Whichever of them is changed."""
    trie = PatternTrie()
    trie.add("a.*", 1)
    copied = trie.copy()
    trie.add("a.*", 2)
    copied.add("a.*", 3)
    copied.discard("a.*", 1)

    assert trie.match("a.b") == {1, 2}
    assert copied.match("a.b") == {3}
