"""Which workflows an event key starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hatchet_schemas import Definition, Workflow
from hatchet_schemas.conditions import Condition, condition_of
from hatchet_schemas.patterns import is_pattern, tokens

__all__ = ["Match", "PatternTrie", "RoutingTable"]

_Token = tuple[str, str]
_SEPARATORS = ("", ".", ":")


@dataclass(slots=True)
class _Node:
    """A place in the trie: what follows here, and who is meant if nothing does."""

    words: dict[_Token, _Node] = field(default_factory=dict[_Token, "_Node"])
    star: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    hash: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    members: set[int] = field(default_factory=set[int])


class PatternTrie:
    """Patterns with ``*`` and ``#``, and which of them match a key.

    Matching walks the key's words once and keeps the set of places reached so far, so its time is
    bounded by the key's length times the patterns that still fit, never exponential.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, pattern: str, member: int) -> None:
        """Let ``pattern`` stand for ``member``."""
        node = self._root
        for separator, word in tokens(pattern):
            if word == "*":
                node = node.star.setdefault(separator, _Node())
            elif word == "#":
                node = node.hash.setdefault(separator, _Node())
            else:
                node = node.words.setdefault((separator, word), _Node())
        node.members.add(member)

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
            if (child := node.words.get((sep, word))) is not None:
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
        self.workflows: tuple[Workflow, ...] = tuple(item.workflow for item in definitions)
        self._triggers: list[_Trigger] = []
        self._exact: dict[str, list[int]] = {}
        self._patterns = PatternTrie()
        self._has_patterns = False
        for index, workflow in enumerate(self.workflows):
            for trigger in workflow.on.events:
                condition = None if trigger.if_ is None else condition_of(trigger.if_)
                member = len(self._triggers)
                self._triggers.append(_Trigger(index, condition))
                if is_pattern(trigger.event):
                    self._patterns.add(trigger.event, member)
                    self._has_patterns = True
                else:
                    self._exact.setdefault(trigger.event, []).append(member)

    @property
    def triggers(self) -> tuple[str, ...]:
        """Every key and pattern that starts something, each once, sorted."""
        return tuple(
            sorted({trigger.event for workflow in self.workflows for trigger in workflow.on.events})
        )

    def match(self, key: str) -> tuple[Match, ...]:
        """Return the workflows with a trigger for ``key``, in the order they were loaded."""
        members: Iterable[int] = self._exact.get(key, ())
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
        return tuple(Match(self.workflows[index], ifs or ()) for index, ifs in conditions.items())
