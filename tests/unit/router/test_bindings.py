"""Triggers as AMQP bindings: never too narrow, and as narrow as they can be."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hatchet_router.bindings import binding_key
from hatchet_router.routing import PatternTrie

word = st.sampled_from(["", "a", "b", "*", "#"])
key_word = st.sampled_from(["", "a", "b", "c"])


def texts(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return words, joined by one or the other separator."""
    return st.lists(st.tuples(st.sampled_from(".:"), words), min_size=1, max_size=6).map(
        lambda pairs: "".join(itertools.chain(*pairs))[1:]
    )


def amqp_matches(binding: str, key: str) -> bool:
    """Match as a topic exchange does (AMQP 0-9-1, section 3.1.3.3): words are split on ``.``."""

    def match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
        if not pattern:
            return not words
        first, rest = pattern[0], pattern[1:]
        if first == "#":
            return any(match(rest, words[count:]) for count in range(len(words) + 1))
        return bool(words) and first in {"*", words[0]} and match(rest, words[1:])

    return match(tuple(binding.split(".")), tuple(key.split(".")))


def pattern_matches(pattern: str, key: str) -> bool:
    trie = PatternTrie()
    trie.add(pattern, 1)
    return bool(trie.match(key))


@given(texts(word), texts(key_word))
@example("a.#:b", "a:b")
@example("a.#.#:b", "a:b")
@example("#:#.a", "a")
@example("a.*.#:b", "a.c:b")
def test_a_binding_lets_through_every_key_that_the_pattern_matches(pattern: str, key: str) -> None:
    """An event that RabbitMQ holds back is lost to the workflow for good."""
    if pattern_matches(pattern, key):
        assert amqp_matches(binding_key(pattern), key)


@given(st.lists(word, min_size=1, max_size=6).map(".".join))
def test_a_pattern_with_dots_alone_is_its_own_binding(pattern: str) -> None:
    """RabbitMQ reads those as we do."""
    assert binding_key(pattern) == pattern


@given(st.lists(word, min_size=1, max_size=5), st.lists(key_word, min_size=1, max_size=5))
def test_with_dots_alone_binding_and_pattern_agree(
    pattern_words: list[str], key_words: list[str]
) -> None:
    """Both ways: nothing is held back, and nothing comes that nobody wants."""
    pattern, key = ".".join(pattern_words), ".".join(key_words)

    assert pattern_matches(pattern, key) is amqp_matches(binding_key(pattern), key)


@pytest.mark.parametrize(
    ("pattern", "binding"),
    [
        ("user:create", "user:create"),
        ("order.paid", "order.paid"),
        ("user:*", "*"),
        ("user:*.v2", "*.v2"),
        ("shop.user:*", "shop.*"),
        ("user:#", "*.#"),
        ("shop.user:#", "shop.*.#"),
        ("user:#.v2", "*.#.v2"),
        ("#:create", "*.#"),
        ("shop.#:create", "*.#"),
        ("eu.shop.#:create", "eu.*.#"),
        ("eu.shop.#.#:create", "eu.*.#"),
        ("#:#.a", "#.a"),
        ("a.#:#", "*.#"),
        ("#", "#"),
        ("*", "*"),
        ("order.*", "order.*"),
        ("order.#", "order.#"),
        ("a:b.#", "a:b.#"),
    ],
)
def test_bindings_are_narrow(pattern: str, binding: str) -> None:
    """RabbitMQ itself keeps away what no workflow wants, as far as it can tell."""
    assert binding_key(pattern) == binding


def test_a_binding_too_long_for_amqp_lets_all_through() -> None:
    """A routing key has at most 255 bytes, and so has a binding, which can exceed its pattern."""
    pattern = ".".join([":#"] * 85)

    assert len(pattern) <= 255
    assert binding_key(pattern) == "#"
