"""The alerts and the dashboard ask for metrics that there are, in words that Prometheus knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from hatchet_router.webhooks.counts import OUTCOMES

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel.get("targets")]
QUERIES: dict[str, str] = {
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in PANELS
        for target in panel["targets"]
    },
}
_SUFFIXES = re.compile(r"_(bucket|sum|count)$")
_LABELS_OF_PROMETHEUS = {"instance", "job", "le"}


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric in the tables of the documents.

    That those are what a scrape has is tested in `tests/acceptance/test_operating.py`.
    """
    row = r"^\| `([a-z_]+)` \| [a-z]+ \|([^|]*)\| (?:router|worker|webhooks|codec|both|all) \|"
    rows = re.findall(row, (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    of_process: dict[str, set[str]] = {"process_cpu_seconds_total": set()}
    return of_process | {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def nodes(query: str) -> Iterator[Any]:
    """Yield the parts of a query.

    Raises:
        ValueError: it is no PromQL.

    """
    found: list[Any] = []
    expression = promql_parser.parse(query.replace("$__rate_interval", "5m"))

    def visit(node: Any) -> None:
        found.append(node)

    promql_parser.walk(expression, pre_visit=visit)
    yield from found


def selectors(query: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that a query names, and the labels that it selects by."""
    for node in nodes(query):
        if isinstance(node, promql_parser.VectorSelector):
            yield str(node.name), {matcher.name for matcher in node.matchers.matchers}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_each_query_names_metrics_and_labels_that_there_are(query: str) -> None:
    metrics = documented()
    named = [(_SUFFIXES.sub("", name), labels) for name, labels in selectors(query)]

    assert named
    for name, labels in named:
        assert name in metrics, name
        assert labels <= metrics[name] | _LABELS_OF_PROMETHEUS
        grouped = {
            label
            for node in nodes(query)
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier
            for label in node.modifier.labels
        }
        assert grouped <= metrics[name] | _LABELS_OF_PROMETHEUS


@pytest.mark.parametrize("process", ["router", "worker", "webhooks"])
def test_there_is_an_alert_for_a_process_of_which_none_runs(process: str) -> None:
    """One that is not there has no metric by which it is told that it is not ready."""
    assert any(f"absent(hatchet_{process}_ready)" in rule["expr"] for rule in ALERTS)


def test_there_is_an_alert_for_each_way_in_which_a_webhook_is_not_taken() -> None:
    """Not every provider sends it again."""
    watched = {
        outcome
        for rule in ALERTS
        for node in nodes(rule["expr"])
        if isinstance(node, promql_parser.VectorSelector)
        and node.name == "hatchet_webhooks_requests_total"
        for matcher in node.matchers.matchers
        for outcome in matcher.value.split("|")
    }

    assert set(OUTCOMES) - watched == {"published", "unmatched", "answered"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_wrong_and_what_to_look_at(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert "for" not in rule or re.fullmatch(r"[0-9]+[smh]", rule["for"])
    told = "".join(rule["annotations"].values())
    told_labels = set(re.findall(r"\$labels\.(\w+)", told))
    grouped = {
        label
        for name, _ in selectors(rule["expr"])
        for label in documented()[_SUFFIXES.sub("", name)]
    }
    assert told_labels <= grouped | _LABELS_OF_PROMETHEUS


def test_each_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {
        _SUFFIXES.sub("", name)
        for panel in PANELS
        for target in panel["targets"]
        for name, _ in selectors(target["expr"])
    }

    ours = {name for name in documented() if name.startswith("hatchet_")}
    assert ours - shown == set()


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    """Grafana would move them about."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    taken: set[tuple[int, int]] = set()

    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
