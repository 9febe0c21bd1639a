"""Problems as SARIF 2.1.0 (OASIS), which GitHub's code scanning and many editors read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hatchet_schemas import Problem
from hatchet_schemas.rules import RULES, Rule

__all__ = ["problems_as_sarif"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"  # left open, as readers expect: who reads it has another checkout


def problems_as_sarif(problems: Iterable[Problem], version: str, rules_url: str | None) -> str:
    """Return the problems as one SARIF log of one run.

    Files are told relative to the working directory, which should be the repository's root: by
    that GitHub finds them. ``rules_url`` is where the rules are explained, each under its name.
    """
    rules = list(RULES.values())
    places = {rule.name: index for index, rule in enumerate(rules)}
    driver: dict[str, Any] = {
        "name": "hatchet",
        "semanticVersion": version,
        "rules": [_rule(rule, rules_url) for rule in rules],
    }
    if rules_url is not None:
        driver["informationUri"] = rules_url
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                # Ours count characters, not the halves of surrogate pairs.
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, places) for problem in problems],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(rule: Rule, rules_url: str | None) -> dict[str, Any]:
    described = {
        "id": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.advice},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"problem.severity": rule.severity},
    }
    return described if rules_url is None else {**described, "helpUri": f"{rules_url}#{rule.name}"}


def _result(problem: Problem, places: Mapping[str, int]) -> dict[str, Any]:
    region = {"startLine": problem.line, "startColumn": problem.column}
    return {
        "ruleId": problem.rule,
        "ruleIndex": places.get(problem.rule, -1),
        "level": problem.severity,
        "message": {"text": problem.message},
        "locations": [
            {"physicalLocation": {"artifactLocation": _artifact(problem.path), "region": region}}
        ],
    }


def _artifact(path: str) -> dict[str, str]:
    file = Path(path)
    if file.is_absolute():
        try:
            file = file.relative_to(Path.cwd())
        except ValueError:
            return {"uri": file.as_uri()}
    return {"uri": quote(os.fsencode(file)), "uriBaseId": _ROOT}
