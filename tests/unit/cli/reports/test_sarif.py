from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hatchet_cli.reports.sarif import problems_as_sarif
from hatchet_schemas import Problem
from hatchet_schemas.rules import RULES

ERROR = Problem(".hatchet/a b.yaml", 3, 5, "no such field", "unknown-field", "x: y")
WARNING = Problem(".hatchet/b.yaml", 1, 1, "matches little", "empty-word", "on: a..b")
URL = "https://example.com/docs/rules.md"


def run_of(*problems: Problem, rules_url: str | None = URL) -> dict[str, Any]:
    log = json.loads(problems_as_sarif(problems, "1.2.3", rules_url))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    return dict(run)


def artifact_of(path: str) -> dict[str, str]:
    [result] = run_of(Problem(path, 1, 1, "m", "unknown-field"))["results"]
    return dict(result["locations"][0]["physicalLocation"]["artifactLocation"])


def test_each_problem_is_a_result_at_its_place() -> None:
    error, warning = run_of(ERROR, WARNING)["results"]

    # By SARIF 2.1.0 a result needs a message; section 3.27. Columns start at 1; section 3.30.6.
    assert error == {
        "ruleId": "unknown-field",
        "ruleIndex": list(RULES).index("unknown-field"),
        "level": "error",
        "message": {"text": "no such field"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": ".hatchet/a%20b.yaml",
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": {"startLine": 3, "startColumn": 5},
                }
            }
        ],
    }
    assert (warning["ruleId"], warning["level"]) == ("empty-word", "warning")


def test_each_rule_is_described_and_leads_to_its_document() -> None:
    run = run_of(ERROR)
    driver = run["tool"]["driver"]

    assert (driver["name"], driver["semanticVersion"]) == ("hatchet", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for rule in driver["rules"]:
        known = RULES[rule["id"]]
        assert rule["helpUri"] == f"{URL}#{rule['id']}"
        assert rule["defaultConfiguration"]["level"] == known.severity
        for field in ("shortDescription", "fullDescription", "help"):
            assert rule[field]["text"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_each_rule_has_the_anchor_to_which_its_help_leads() -> None:
    document = (Path(__file__).parents[4] / "docs" / "rules.md").read_text()
    headings = {line.lstrip("# ") for line in document.splitlines() if line.startswith("#")}

    assert set(RULES) <= headings


def test_no_link_is_made_up_where_the_place_of_the_documents_is_not_known() -> None:
    driver = run_of(ERROR, rules_url=None)["tool"]["driver"]

    assert "informationUri" not in driver
    assert not any("helpUri" in rule for rule in driver["rules"])


def test_columns_are_characters_and_said_to_be() -> None:
    assert run_of()["columnKind"] == "unicodeCodePoints"


def test_no_problem_gives_a_log_without_results() -> None:
    assert run_of()["results"] == []


def test_an_absolute_path_is_told_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert artifact_of(str(tmp_path / "x" / "a.yaml")) == {
        "uri": "x/a.yaml",
        "uriBaseId": "%SRCROOT%",
    }
    assert artifact_of("/elsewhere/a.yaml") == {"uri": "file:///elsewhere/a.yaml"}
