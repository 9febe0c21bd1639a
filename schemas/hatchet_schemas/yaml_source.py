"""YAML 1.2 text as data that remembers where each value stands.

PyYAML parses YAML 1.1 with libyaml; its events carry the text of every scalar, so the scalars are
read here by YAML 1.2's core schema: ``on``, ``no``, ``1:30``, ``010`` and dates stay strings.
The source is not trusted: its size, its depth and what its anchors expand to are bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

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

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT: Final = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_MAX_INTEGER: Final = 2**63
_MAX_INTEGER_DIGITS: Final = 20  # with the sign

LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line for libyaml (YAML 1.1, section 5.4)."""

Mark = tuple[int, int]
"""Line and column, from 0."""


class YamlError(ValueError):
    """The source is not YAML as we take it; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, rule: str, mark: Mark = (0, 0)) -> None:
        self.message = message
        self.rule = rule
        self.line, self.column = mark[0] + 1, mark[1] + 1
        super().__init__(message)


@dataclass(slots=True)
class Node:
    """A value, where it stands, and the nodes inside it.

    ``children`` is keyed as the value is: by field name in a map, by index in a list. ``keys``
    tells where each field name of a map stands, ``style`` how a scalar is quoted. ``size``
    counts the values inside, itself too, and
    ``characters`` those of their texts and field names.
    """

    value: Any
    mark: Mark
    children: dict[str | int, Node] = field(default_factory=dict[str | int, "Node"])
    keys: dict[str, Mark] = field(default_factory=dict[str, Mark])
    size: int = 1
    characters: int = 0
    height: int = 1
    style: str | None = None

    def find(self, loc: Sequence[str | int]) -> Node:
        """Return the node at ``loc``.

        Parts of ``loc`` that name nothing are passed over: a validator may add such parts.
        """
        node = self
        for part in loc:
            node = node.children.get(part, node)
        return node

    def key_mark(self, loc: Sequence[str | int]) -> Mark:
        """Return where the field name that ends ``loc`` stands, or the value in a list."""
        node, mark = self, self.mark
        for part in loc:
            if part in node.keys:
                mark = node.keys[str(part)]
            child = node.children.get(part)
            if child is not None:
                mark = mark if part in node.keys else child.mark
                node = child
        return mark


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
    text = _decoded(source)
    try:
        return _Builder(_events(text)).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, error) from None


def _decoded(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8", "replace")
        mark = _mark_behind(before)
        raise YamlError(
            f"byte 0x{source[error.start]:02x} is not UTF-8: save the file as UTF-8",
            "yaml-syntax",
            mark,
        ) from None


def _syntax_error(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    message = f"not valid YAML: {error.problem or error.context}"
    if error.context and error.problem:
        message = f"not valid YAML: {error.context}, {error.problem}"
    if "cannot start any token" in message:
        message += "; indent with spaces, not tabs, and quote a value that starts with @, ` or %"
    return YamlError(message, "yaml-syntax", (mark.line, mark.column) if mark else (0, 0))


def _unreadable(text: str, error: yaml.reader.ReaderError) -> YamlError:
    # Positions of libyaml's reader are in bytes or characters by turns: look for ourselves.
    found = re.search(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]", text
    )
    position = found.start() if found else 0
    mark = _mark_behind(text[:position])
    return YamlError(f"not valid YAML: {error.reason}", "yaml-syntax", mark)


def _mark_behind(text: str) -> Mark:
    lines = LINE_BREAK.split(text)
    return len(lines) - 1, len(lines[-1])


def _events(text: str) -> Iterator[yaml.Event]:
    mark = (0, 0)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            mark = _mark(event)
            yield event
    except UnicodeDecodeError:
        # What the % escapes of a tag spell: libyaml lets halves of surrogate pairs pass.
        message = "not valid YAML: behind this, the % escapes of a tag are not UTF-8"
        raise YamlError(message, "yaml-syntax", mark) from None


class _Builder:
    """Builds nodes from libyaml's events, without recursion."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._depth = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError(
                        "a second document starts here: one file holds one workflow",
                        "yaml-syntax",
                        _mark(event),
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event)
        return root

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        if not isinstance(event, yaml.NodeEvent):
            raise TypeError(f"libyaml gave {event!r} for a value")
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # not to be referred to from inside itself
        if isinstance(event, yaml.ScalarEvent):
            node = Node(
                _scalar(event),
                _mark(event),
                characters=len(str(event.value)),
                style=event.style,
            )
        else:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise YamlError(f"nested more than {MAX_DEPTH} deep", "too-large", _mark(event))
            node = (
                self._sequence(event)
                if isinstance(event, yaml.SequenceStartEvent)
                else self._mapping(event)
            )
            self._depth -= 1
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            raise YamlError(
                f"no anchor &{event.anchor} stands before this", "yaml-syntax", _mark(event)
            )
        target = self._anchors[event.anchor]
        if target is None:
            raise YamlError(
                f"*{event.anchor} stands inside what it refers to", "yaml-syntax", _mark(event)
            )
        if self._depth + target.height - 1 > MAX_DEPTH:
            raise YamlError(f"nested more than {MAX_DEPTH} deep", "too-large", _mark(event))
        return target

    def _sequence(self, event: yaml.NodeEvent) -> Node:
        _check_tag(event)
        node = Node([], _mark(event))
        for item in self._events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            _adopt(node, len(node.value), self._node(item), _mark(item))
        node.value = [child.value for child in node.children.values()]
        return node

    def _mapping(self, event: yaml.NodeEvent) -> Node:
        _check_tag(event)
        node = Node({}, _mark(event))
        for key in self._events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            if not isinstance(key, yaml.ScalarEvent):
                raise YamlError("a field name must be a plain text", "yaml-syntax", _mark(key))
            _check_tag(key)
            name = str(key.value)
            if name == "<<" and key.implicit[0]:
                raise YamlError("YAML 1.2 has no merge keys (<<)", "yaml-syntax", _mark(key))
            if name in node.keys:
                first = node.keys[name][0] + 1
                raise YamlError(
                    f"field {name!r} stands twice in this map, first in line {first}",
                    "duplicate-key",
                    _mark(key),
                )
            node.keys[name] = _mark(key)
            item = next(self._events)
            _adopt(node, name, self._node(item), _mark(item))
        node.value = {name: child.value for name, child in node.children.items()}
        return node


def _adopt(parent: Node, key: str | int, child: Node, mark: Mark) -> None:
    parent.children[key] = child
    parent.size += child.size
    parent.characters += child.characters + (len(key) if isinstance(key, str) else 0)
    parent.height = max(parent.height, child.height + 1)
    if isinstance(parent.value, list):
        parent.value.append(None)
    for count, limit, what in (
        (parent.size, MAX_VALUES, "values"),
        (parent.characters, MAX_CHARACTERS, "characters"),
    ):
        if count > limit:
            raise YamlError(
                f"more than {limit:,} {what}, what anchors stand for counted each time",
                "too-large",
                mark,
            )


def _check_tag(event: yaml.NodeEvent) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in {"!", "tag:yaml.org,2002:str"}:
        raise YamlError(f"tags such as {tag!r} are not used here", "yaml-syntax", _mark(event))


def _mark(event: yaml.Event) -> Mark:
    mark = event.start_mark
    return (0, 0) if mark is None else (mark.line, mark.column)


def _scalar(event: yaml.ScalarEvent) -> Any:
    _check_tag(event)
    text = str(event.value)
    if not event.implicit[0]:  # quoted, or tagged as a text
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) <= _MAX_INTEGER_DIGITS else _MAX_INTEGER
        if -_MAX_INTEGER <= number < _MAX_INTEGER:
            return number
        raise YamlError(
            f"the number {text[:60]} does not fit 64 bits: quote it to have a text",
            "invalid-value",
            _mark(event),
        )
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
