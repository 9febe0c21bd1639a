from __future__ import annotations

import re
from pathlib import Path

import pytest

from hatchet_schemas import Problem
from hatchet_schemas.checks.documentation import example_problems, rules_document
from hatchet_schemas.checks.rule import MARKER, Rule
from hatchet_schemas.rules import RULE_GROUPS, RULES, severity_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "rules.md"
WITH_EXAMPLE = [pytest.param(rule, id=name) for name, rule in RULES.items() if rule.example]


def place_of_marker(rule: Rule) -> tuple[int, int]:
    """Return line and column, from 1."""
    lines = rule.example.split(MARKER)[0].split("\n")
    return len(lines), len(lines[-1]) + 1


@pytest.mark.parametrize("rule", WITH_EXAMPLE)
def test_an_example_breaks_its_rule_alone_and_where_it_is_marked(rule: Rule) -> None:
    assert rule.example.count(MARKER) == 1

    problems = example_problems(rule)

    found = [(problem.line, problem.column, problem.rule) for problem in problems]
    assert found == [(*place_of_marker(rule), rule.name)]
    assert problems[0].severity == rule.severity


@pytest.mark.parametrize("rule", WITH_EXAMPLE)
def test_what_is_to_be_written_instead_has_no_problem(rule: Rule) -> None:
    lines = rule.example.split("\n")
    line, _ = place_of_marker(rule)
    lines[line - 1 : line] = [rule.instead] if rule.instead else []

    assert [str(problem) for problem in example_problems(rule, "\n".join(lines))] == []


def test_only_rules_about_folders_have_no_example() -> None:
    without = {rule.name for rule in RULES.values() if not rule.example}

    assert without == {"not-found", "unreadable"}


def test_no_two_rules_have_one_name() -> None:
    assert len(RULES) == sum(map(len, RULE_GROUPS.values()))


@pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in RULES.items()])
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert re.fullmatch(r"[A-Za-z].*\.", rule.summary)
    assert re.fullmatch(r"[^ ].*\.", rule.advice)
    assert "|" not in rule.summary  # it stands in a table


@pytest.mark.parametrize(
    ("rule", "severity"),
    [("wrong-type", "error"), ("unused-secret", "warning"), ("no-such-rule", "error")],
)
def test_a_problem_is_as_bad_as_its_rule_says(rule: str, severity: str) -> None:
    assert Problem("a", 1, 1, "", rule).severity == severity
    assert severity_of(rule) == severity


def test_the_document_is_what_the_rules_make_it() -> None:
    """Mend it by ``python -m hatchet_schemas.checks.documentation > docs/rules.md``."""
    assert DOCUMENT.read_text(encoding="utf-8") == rules_document()


def test_each_rule_can_be_linked_to() -> None:
    headings = re.findall(r"^### (\S+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert headings == list(RULES)
