"""The threat model names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"`(tests/\S+\.py)::(\w+)`")


def test_each_line_names_a_test_that_there_is() -> None:
    rows = [
        line
        for section in (ROOT / "docs" / "threat-model.md").read_text().split("\n## ")[1:]
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith(("| attempt |", "| way |"))
    ]
    named = [_TEST.search(row) for row in rows]

    assert len(rows) >= 30
    assert [row for row, found in zip(rows, named, strict=True) if found is None] == []
    assert [
        found.group()
        for found in named
        if found is not None and found[2] not in _functions(ROOT / found[1])
    ] == []


def _functions(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
