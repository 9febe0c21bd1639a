"""Which variables are settings, and what is said of those that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hatchet_cli.settings.documentation import settings_document
from hatchet_cli.settings.groups import REGISTRY

ROOT = Path(__file__).parents[4]
_VARIABLE = re.compile(r"\bHATCHET_[A-Z0-9_]*[A-Z0-9]\b")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("HATCHET_PREFTECH", "HATCHET_PREFETCH"),
        ("HATCHET_AMPQ_URL", "HATCHET_AMQP_URL"),
        ("HATCHET_SECRETS_DIRECTORY", "HATCHET_SECRETS_DIR"),
        ("HATCHET_XYZZY", None),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_known_one(
    name: str, near: str | None
) -> None:
    assert list(REGISTRY.unknown([name, "PATH", "HATCHET_QUEUE"])) == [(name, near)]


@pytest.mark.parametrize(
    "name",
    [
        "HATCHET_SECRET_SLACK_TOKEN",
        "HATCHET_SMTP_HOST",
        "HATCHET_PORT",  # a Kubernetes service called hatchet, and others called hatchet-router
        "HATCHET_ROUTER_SERVICE_HOST",
        "HATCHET_ROUTER_SERVICE_PORT_HTTP",
        "HATCHET_ROUTER_PORT_8080_TCP_ADDR",
    ],
)
def test_families_and_what_kubernetes_sets_are_not_unknown(name: str) -> None:
    assert list(REGISTRY.unknown([name])) == []


def test_the_prefix_of_a_family_alone_is_unknown() -> None:
    assert [name for name, _ in REGISTRY.unknown(["HATCHET_SECRET_"])] == ["HATCHET_SECRET_"]


def test_each_variable_that_the_code_names_is_a_setting() -> None:
    named = {
        name
        for package in ("schemas", "router", "worker", "cli")
        for path in (ROOT / package).rglob("*.py")
        for name in _VARIABLE.findall(path.read_text())
    }

    families = {family.prefix.rstrip("_") for family in REGISTRY.families}
    assert {name for name in named - families if REGISTRY.find(name) is None} == set()


def test_the_document_is_what_the_settings_make_it() -> None:
    """Mend it by ``python -m hatchet_cli.settings.documentation > docs/settings.md``."""
    assert (ROOT / "docs" / "settings.md").read_text() == settings_document()


def test_each_setting_says_what_it_means() -> None:
    assert [name for name, setting in REGISTRY.settings.items() if not setting.meaning] == []
