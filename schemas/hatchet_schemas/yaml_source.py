"""YAML 1.2 text as data that remembers where each value stands.

PyYAML parses YAML 1.1 with libyaml; its events carry the text of every scalar, so the scalars are
read here by YAML 1.2's core schema. The source is not trusted: its size, its depth and what its
anchors expand to are bounded. It is built from events, since libyaml's own trees know no bounds:
they are made by recursion in C.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from hatchet_schemas.errors import shown
from hatchet_schemas.yaml_errors import (
    LINE_BREAK,
    Mark,
    YamlError,
    decoded,
    syntax_error,
    unreadable,
)
from hatchet_schemas.yaml_nodes import Node, Place, mark_of, node_at
from hatchet_schemas.yaml_scalars import plain_value

__all__ = [
    "LINE_BREAK",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_FILE_BYTES",
    "MAX_VALUES",
    "Mark",
    "Node",
    "YamlError",
    "parse",
]

MAX_FILE_BYTES: Final = 256 * 1024
"""The largest workflow file."""

MAX_DEPTH: Final = 32
"""How deep lists and maps may be nested, what anchors stand for included."""

MAX_VALUES: Final = 20_000
"""How many values a file may hold, what anchors stand for counted each time."""

MAX_CHARACTERS: Final = 2 * MAX_FILE_BYTES
"""How many characters its texts may hold, what anchors stand for counted each time."""

_SHOWN: Final = 60  # characters of a name, in a message
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_NO_TAG: Final = "!"


def parse(source: bytes) -> Node | None:
    """Return the root of the one document in ``source``, or None where there is none.

    Raises:
        YamlError: the source is no YAML, or breaks one of the bounds.

    """
    if len(source) > MAX_FILE_BYTES:
        raise YamlError(
            f"the file has {len(source):,} bytes; a workflow file has at most {MAX_FILE_BYTES:,}",
            "too-large",
        )
    text = decoded(source)
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        raise syntax_error(error, _last_event(text)) from None
    except yaml.reader.ReaderError as error:
        raise unreadable(text, error) from None
    except UnicodeDecodeError:
        # What the % escapes of a tag spell: libyaml lets halves of surrogate pairs pass.
        message = "not valid YAML: behind this, the % escapes of a tag are not UTF-8"
        raise YamlError(message, "yaml-syntax", mark_of(_last_event(text))) from None


def _last_event(text: str) -> yaml.Event | None:
    """Return the last event that libyaml gives before it fails, which is not kept on the way."""
    last: yaml.Event | None = None
    next_event = yaml.CSafeLoader(text).get_event
    with contextlib.suppress(yaml.YAMLError, UnicodeDecodeError):
        while (event := next_event()) is not None:
            last = event
    return last


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor stands for, and how much it adds wherever it is referred to."""

    value: Any
    place: Place
    values: int = 1
    characters: int = 0
    height: int = 0


class _Builder:
    """Builds the nodes of one document from libyaml's events; recurses `MAX_DEPTH` deep at most.

    It counts as it goes, so that an alias is refused before anything looks at what it stands for.
    """

    __slots__ = ("_anchors", "_characters", "_deepest", "_depth", "_next", "_values")

    def __init__(self, text: str) -> None:
        self._next: Callable[[], Any] = yaml.CSafeLoader(text).get_event
        self._anchors: dict[str, _Anchored | None] = {}
        self._depth = 0
        self._deepest = 0
        self._values = 0
        self._characters = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        while (event := self._next()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError(
                        "a second document starts here: one file holds one workflow",
                        "yaml-syntax",
                        mark_of(event),
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = node_at(*self._node(event))
        return root

    def _node(self, event: yaml.Event) -> tuple[Any, Place]:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event), event
        if isinstance(event, yaml.AliasEvent):
            target = self._aliased(event)
            return target.value, target.place
        if isinstance(event, yaml.CollectionStartEvent):
            node = self._collection(event)
            return node.value, node
        raise TypeError(f"libyaml gave {event!r} for a value")

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        self._count(event, 1, len(event.value))
        if event.tag is not None:
            _check_tag(event, event.tag, _TEXT_TAG)
        value: Any = event.value
        # A mere exclamation mark lets libyaml call quoted texts implicit, too.
        if event.implicit[0] and not event.style:
            try:
                value = plain_value(event.value)
            except OverflowError as error:
                raise YamlError(str(error), "invalid-value", mark_of(event)) from None
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, event, characters=len(event.value))
        return value

    def _aliased(self, event: yaml.AliasEvent) -> _Anchored:
        name = str(event.anchor)
        if name not in self._anchors:
            message = f"no anchor &{name[:_SHOWN]} stands before this"
            raise YamlError(message, "yaml-syntax", mark_of(event))
        target = self._anchors[name]
        if target is None:
            message = f"*{name[:_SHOWN]} stands inside what it refers to"
            raise YamlError(message, "yaml-syntax", mark_of(event))
        self._go_down(event, target.height)
        self._count(event, target.values, target.characters)
        return target

    def _collection(self, event: yaml.CollectionStartEvent) -> Node:
        if event.tag is not None:
            _check_tag(event, event.tag)
        values, characters, deepest = self._values, self._characters, self._deepest
        self._count(event, 1, 0)
        self._deepest = 0
        self._go_down(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # not to be referred to from inside itself
        self._depth += 1
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event)
        else:
            node = self._mapping(event)
        self._depth -= 1
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(
                node.value,
                node,
                self._values - values,
                self._characters - characters,
                self._deepest - self._depth,
            )
        self._deepest = max(self._deepest, deepest)
        return node

    def _sequence(self, event: yaml.Event) -> Node:
        values: list[Any] = []
        places: list[Place] = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            value, place = self._node(item)
            values.append(value)
            places.append(place)
        return Node(values, mark_of(event), places)

    def _mapping(self, event: yaml.Event) -> Node:
        values: dict[str, Any] = {}
        places: dict[str, Place] = {}
        keys: dict[str, yaml.ScalarEvent] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._name(key)
            if name in keys:
                first = mark_of(keys[name])[0] + 1
                raise YamlError(
                    f"field {shown(name)} stands twice in this map, first in line {first}",
                    "duplicate-key",
                    mark_of(key),
                )
            keys[name] = key
            values[name], places[name] = self._node(self._next())
        return Node(values, mark_of(event), places, keys)

    def _name(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            message = "a field name must be a plain text"
            if isinstance(event, yaml.MappingStartEvent) and event.flow_style:
                message += '; a template needs quotes: "{{ … }}"'
            raise YamlError(message, "yaml-syntax", mark_of(event))
        if event.tag is not None:
            _check_tag(event, event.tag, _TEXT_TAG)
        name = event.value
        if name == "<<" and event.implicit[0] and not event.style:
            raise YamlError("YAML 1.2 has no merge keys (<<)", "yaml-syntax", mark_of(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(name, event, characters=len(name))
        self._characters += len(name)
        return name

    def _go_down(self, event: yaml.Event, height: int) -> None:
        depth = self._depth + height
        if depth > MAX_DEPTH:
            raise YamlError(f"nested more than {MAX_DEPTH} deep", "too-large", mark_of(event))
        self._deepest = max(self._deepest, depth)

    def _count(self, event: yaml.Event, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > MAX_VALUES:
            raise _too_large(event, MAX_VALUES, "values")
        if self._characters > MAX_CHARACTERS:
            raise _too_large(event, MAX_CHARACTERS, "characters")


def _too_large(event: yaml.Event, limit: int, what: str) -> YamlError:
    return YamlError(
        f"more than {limit:,} {what}, what anchors stand for counted each time",
        "too-large",
        mark_of(event),
    )


def _check_tag(event: yaml.Event, tag: str, allowed: str = _NO_TAG) -> None:
    if tag not in {_NO_TAG, allowed}:
        raise YamlError(
            f"tags such as {shown(tag)} are not used here", "yaml-syntax", mark_of(event)
        )
