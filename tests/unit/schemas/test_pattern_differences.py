from __future__ import annotations

import pytest

from hatchet_schemas.pattern_differences import difference


@pytest.mark.parametrize(
    ("pattern", "key", "said"),
    [
        ("order.paid", "order.sent", "word 2 is 'sent', not 'paid'"),
        ("order.paid", "user.paid", "word 1 is 'user', not 'order'"),
        ("*.paid", "order.sent", "word 2 is 'sent', not 'paid'"),
        ("order:paid", "order.paid", "before 'paid' the key has '.', the pattern ':'"),
        ("order.*", "order:paid", "before 'paid' the key has ':', the pattern '.'"),
        ("order.paid", "order", "the key ends where the pattern goes on with '.paid'"),
        ("a.b:*", "a", "the key ends where the pattern goes on with '.b:*'"),
        ("order", "order.paid:now", "the key goes on with '.paid:now' where the pattern ends"),
        ("*", "a.b", "the key goes on with '.b' where the pattern ends"),
        ("a.#.d", "b.c.d", "word 1 is 'b', not 'a'"),
        ("a.#.d", "a.b.c", "word 3 is 'c', not 'd'"),
        ("#.d.*", "a.b.c", "word 2 is 'b', not 'd'"),
        ("a.#.b.#.c", "a.x.c", "no words in place of # make it match"),
        ("a.#.b", "a:b", "no words in place of # make it match"),
        ("#.a.b.c", "c", "no words in place of # make it match"),
    ],
)
def test_the_first_difference_is_told(pattern: str, key: str, said: str) -> None:
    assert difference(pattern, key) == said
