"""What a template reads: the paths in its syntax tree, and where in its text they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from jinja2 import nodes

from hatchet_schemas.template_values import ROOT

__all__ = ["Reference", "references_in"]

_FALLBACK_FILTERS: Final = frozenset({"default", "d"})
_PRESENCE_TESTS: Final = frozenset({"defined", "undefined"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that a template reads: ``.steps.a.outputs.id`` is steps, a, outputs, id.

    It ends before the first part that is known at run time only. ``offsets`` tells where each part
    stands in the template's text, in characters. What is ``optional`` may be missing: a filter or
    a test of the template allows for it.
    """

    path: tuple[str | int, ...]
    offsets: tuple[int, ...]
    optional: bool = False

    def __str__(self) -> str:
        return "".join(f".{part}" for part in self.path)


def references_in(tree: nodes.Node) -> tuple[Reference, ...]:
    """Return every path that ``tree`` reads, in no particular order."""
    found = list(_references(tree))
    optional = {reference.path for reference in found if reference.optional}
    if not optional:
        return tuple(found)
    return tuple(replace(reference, optional=reference.path in optional) for reference in found)


def _references(tree: nodes.Node) -> Iterator[Reference]:
    stack = [(tree, False)]
    while stack:
        node, optional = stack.pop()
        if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            reference, rest = _path(node, optional=optional)
            if reference is not None:
                yield reference
            stack.extend((child, False) for child in rest)
            continue
        subject = _subject_that_may_be_missing(node)
        stack.extend((child, child is subject) for child in node.iter_child_nodes())


def _subject_that_may_be_missing(node: nodes.Node) -> nodes.Node | None:
    if isinstance(node, nodes.Filter) and node.name in _FALLBACK_FILTERS:
        return node.node
    if isinstance(node, nodes.Test) and node.name in _PRESENCE_TESTS:
        return node.node
    return None


def _path(node: nodes.Node, *, optional: bool) -> tuple[Reference | None, list[nodes.Node]]:
    """Return the path that ends in ``node``, and the nodes inside it that are read besides."""
    parts: list[tuple[str | int, int]] = []
    rest: list[nodes.Node] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getattr):
            parts.append((node.attr, node.lineno))
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, (str, int)):
            parts.append((node.arg.value, node.lineno))
        else:
            rest.append(node.arg)
            parts.clear()
        node = node.node
    if not isinstance(node, nodes.Name):
        return None, [*rest, node]
    if node.name != ROOT:
        parts.append((node.name, node.lineno))
    parts.reverse()
    path, offsets = tuple(part for part, _ in parts), tuple(offset for _, offset in parts)
    return Reference(path, offsets, optional and not rest), rest
