"""Our reading of patterns against RabbitMQ's own."""

import itertools
from collections import defaultdict
from typing import Any

import aio_pika

from hatchet_router.bindings import binding_key
from hatchet_router.routing import PatternTrie

WORDS = ["", "a", "b"]
KEYS = sorted(
    {
        *(
            ".".join(words)
            for size in (1, 2, 3, 4)
            for words in itertools.product("ab", repeat=size)
        ),
        *(".".join(words) for size in (2, 3) for words in itertools.product(WORDS, repeat=size)),
        *(f"a{separator}b.{word}" for separator in ".:" for word in ("a", "b:a", "b")),
        *("a:b", "b:a:b", "a.b:a", "a:b.a:b", "user:create", "c"),
    }
)
DOTTED = sorted(
    {
        ".".join(words)
        for size in (1, 2, 3)
        for words in itertools.product(["a", "b", "*", "#"], repeat=size)
    }
    | {"a..b", ".a", "b.", "#.a.#.b", "*.#.*.b", "a.#.#.a", "#.*.#.*"}
)
MIXED = [
    *("a:*", "a:#", "#:b", "*:*", "a.#:b", "a:#.b", "#:#.a", "*.#:#", "user:*", "b.a:#", "#.b:*"),
    *("a:*.b", "*:b.*", "#.a:b", "a.*:*", "a.#.#:b"),
]


def matching(pattern: str) -> set[str]:
    trie = PatternTrie()
    trie.add(pattern, 1)
    return {key for key in KEYS if trie.match(key)}


async def test_patterns_agree_with_rabbitmq(name: str, broker: Any) -> None:
    """A hundred patterns and a hundred keys: with dots alone the very same keys match.

    With colons, of which RabbitMQ knows nothing, it lets through at least what we want.
    """
    channel = await broker.connection.channel()
    exchange = await channel.declare_exchange(name, "topic", auto_delete=True)
    let_through: dict[str, set[str]] = defaultdict(set)
    queues = {}
    for number, pattern in enumerate((*DOTTED, *MIXED)):
        queue = await channel.declare_queue(f"{name}.{number}", exclusive=True)
        await queue.bind(exchange, binding_key(pattern))
        queues[pattern] = queue
    for key in KEYS:
        await exchange.publish(aio_pika.Message(key.encode()), key, mandatory=False)
    for pattern, queue in queues.items():
        while (message := await queue.get(fail=False, no_ack=True)) is not None:
            let_through[pattern].add(message.body.decode())

    for pattern in DOTTED:
        dotted = {key for key in let_through[pattern] if ":" not in key}
        assert dotted == {key for key in matching(pattern) if ":" not in key}, pattern
    for pattern in (*DOTTED, *MIXED):
        assert let_through[pattern] >= matching(pattern) > set(), pattern
