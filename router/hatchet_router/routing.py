"""Which workflows an event key starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from hatchet_schemas import Definition, Workflow
from hatchet_schemas.conditions import Condition, condition_of
from hatchet_schemas.patterns import is_pattern, tokens

__all__ = ["Match", "PatternTrie", "RoutingTable"]

_Token = tuple[str, str]
_SEPARATORS = ("", ".", ":")


@dataclass(slots=True)
class _Node:
    """A place in the trie: what follows here, and who is meant if nothing does.

    The trie that is its ``owner`` may change it, others only a copy.
    """

    owner: object
    words: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    star: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    hash: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    members: set[int] = field(default_factory=set[int])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is here and nothing follows."""
        return not (self.words or self.star or self.hash or self.members)

    def branch(self, token: _Token) -> tuple[dict[str, _Node], str]:
        """Return what holds the place behind ``token`` in a pattern, and under which key."""
        separator, word = token
        if word == "*":
            return self.star, separator
        if word == "#":
            return self.hash, separator
        return self.words, separator + word

    def copied(self, owner: object) -> _Node:
        """Return a copy, with the same places behind it."""
        return _Node(owner, self.words.copy(), self.star.copy(), self.hash.copy(), {*self.members})


class PatternTrie:
    """Patterns with ``*`` and ``#``, and which of them match a key.

    Matching walks the key's words once and keeps the set of places reached so far, so its time is
    bounded by the key's length times the patterns that still fit, never exponential.
    """

    def __init__(self) -> None:
        self._owner = object()
        self._root = _Node(self._owner)

    @property
    def is_empty(self) -> bool:
        """Whether there is no pattern."""
        return self._root.is_empty

    def copy(self) -> PatternTrie:
        """Return a trie of its own, which takes over what is never changed in one of the two."""
        copied = PatternTrie()
        copied._root = self._root
        self._owner = object()
        return copied

    def add(self, pattern: str, member: int) -> None:
        """Let ``pattern`` stand for ``member``."""
        self._path(pattern)[-1].members.add(member)

    def discard(self, pattern: str, member: int) -> None:
        """Let ``pattern`` stand for ``member`` no more."""
        path = self._path(pattern)
        path[-1].members.discard(member)
        ways = zip(path, path[1:], tokens(pattern), strict=False)
        for node, after, token in reversed(list(ways)):
            if not after.is_empty:
                break
            branch, key = node.branch(token)
            del branch[key]

    def _path(self, pattern: str) -> list[_Node]:
        """Return the places that lead to ``pattern``; all may be changed."""
        if self._root.owner is not self._owner:
            self._root = self._root.copied(self._owner)
        path = [self._root]
        for token in tokens(pattern):
            branch, key = path[-1].branch(token)
            after = branch.get(key)
            if after is None:
                after = branch[key] = _Node(self._owner)
            elif after.owner is not self._owner:
                after = branch[key] = after.copied(self._owner)
            path.append(after)
        return path

    def match(self, key: str) -> set[int]:
        """Return the members whose patterns match ``key``."""
        # A place is a node, and whether a `#` that led there may still swallow words.
        places = {(id(self._root), False): self._root}
        _add_empty_hashes(places)
        for position, token in enumerate(tokens(key)):
            places = _after(places, token, first=position == 0)
            if not places:
                return set()
        return set[int]().union(*(node.members for node in places.values()))


_Places = dict[tuple[int, bool], _Node]


def _after(places: _Places, token: _Token, *, first: bool) -> _Places:
    separator, word = token
    # Before the first word of a key stands no separator. A pattern that began with `#` for no
    # words at all goes on with one there, which then goes too.
    separators = _SEPARATORS if first else (separator,)
    reached: _Places = {}
    for (identity, swallowing), node in places.items():
        if swallowing:
            reached[identity, True] = node
        for sep in separators:
            if (child := node.words.get(sep + word)) is not None:
                reached[id(child), False] = child
            if (child := node.star.get(sep)) is not None:
                reached[id(child), False] = child
            if (child := node.hash.get(sep)) is not None:
                reached[id(child), True] = child
    _add_empty_hashes(reached)
    return reached


def _add_empty_hashes(places: _Places) -> None:
    """Add the places that are reached by letting a `#` stand for no words."""
    waiting = list(places.values())
    while waiting:
        for child in waiting.pop().hash.values():
            if (id(child), False) not in places:
                places[id(child), False] = child
                waiting.append(child)


@dataclass(frozen=True, slots=True)
class Match:
    """A workflow of which a trigger matches a key.

    ``conditions`` are those of the triggers that match: one of them must hold. There are none
    where a trigger matches that has no condition.
    """

    workflow: Workflow
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trigger:
    workflow: int
    condition: Condition | None


class RoutingTable:
    """The triggers of all loaded workflows: keys by dictionary, patterns by trie."""

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        self.workflows: tuple[Workflow, ...] = ()
        # A workflow keeps its number from table to table, and its triggers theirs, which count on
        # from it. None is given twice, and the order is in the positions of the numbers.
        self._positions: dict[int, int] = {}
        self._next_number = 0
        self._triggers: dict[int, _Trigger] = {}
        # Patterns are here, too: each of them also matches itself, taken for a key.
        self._members: dict[str, tuple[int, ...]] = {}
        self._patterns = PatternTrie()
        self._adopt(definitions)

    def followed_by(self, definitions: Iterable[Definition]) -> RoutingTable:
        """Return the table of ``definitions``, quickly where most of their workflows are in this.

        This one stays as it is.
        """
        table = RoutingTable()
        table.workflows = self.workflows
        table._positions = self._positions
        table._next_number = self._next_number
        table._triggers = self._triggers.copy()
        table._members = self._members.copy()
        table._patterns = self._patterns.copy()
        table._adopt(definitions)
        return table

    def _adopt(self, definitions: Iterable[Definition]) -> None:
        before, places_before = self.workflows, self._positions
        self.workflows = tuple(item.workflow for item in definitions)
        self._positions = {}
        # By identity: to compare ten thousand workflows takes long.
        numbers = dict(zip(map(id, before), places_before, strict=True))
        new: list[tuple[int, Workflow]] = []
        for position, workflow in enumerate(self.workflows):
            number = numbers.pop(id(workflow), None)
            if number is None:
                number = self._next_number
                self._next_number += 1 + len(workflow.on.events)
                new.append((number, workflow))
            self._positions[number] = position
        gone = places_before.keys() - self._positions.keys()
        self._replace([(number, before[places_before[number]]) for number in gone], new)
        self._has_patterns = not self._patterns.is_empty

    def _replace(
        self, gone: Iterable[tuple[int, Workflow]], new: Iterable[tuple[int, Workflow]]
    ) -> None:
        added: dict[str, list[int]] = {}
        for number, workflow in gone:
            for member, trigger in enumerate(workflow.on.events, number):
                added[trigger.event] = []
                del self._triggers[member]
                if is_pattern(trigger.event):
                    self._patterns.discard(trigger.event, member)
        for number, workflow in new:
            for member, trigger in enumerate(workflow.on.events, number):
                added.setdefault(trigger.event, []).append(member)
                condition = None if trigger.if_ is None else condition_of(trigger.if_)
                self._triggers[member] = _Trigger(number, condition)
                if is_pattern(trigger.event):
                    self._patterns.add(trigger.event, member)
        for event, members in added.items():
            left = [each for each in self._members.get(event, ()) if each in self._triggers]
            if left or members:
                self._members[event] = (*left, *members)
            else:
                del self._members[event]

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        """Every key and pattern that starts something, each once, sorted."""
        return tuple(sorted(self._members))

    def match(self, key: str) -> tuple[Match, ...]:
        """Return the workflows with a trigger for ``key``, in the order they were loaded."""
        members: Iterable[int] = self._members.get(key, ())
        if self._has_patterns and (found := self._patterns.match(key)):
            members = sorted(found.union(members))
        conditions: dict[int, tuple[Condition, ...] | None] = {}
        for member in members:
            trigger = self._triggers[member]
            earlier = conditions.get(trigger.workflow, ())
            conditions[trigger.workflow] = (
                None
                if trigger.condition is None or earlier is None
                else (*earlier, trigger.condition)
            )
        positions = self._positions
        return tuple(
            Match(self.workflows[positions[number]], conditions[number] or ())
            for number in sorted(conditions, key=positions.__getitem__)
        )
