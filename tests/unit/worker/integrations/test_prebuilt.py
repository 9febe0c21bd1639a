"""What holds for all prebuilt integrations, which are the entry points of this distribution."""

from __future__ import annotations

import runpy
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from hatchet_worker import Integration, integrations
from hatchet_worker.integrations._extras import MissingExtra
from hatchet_worker.integrations.slack import Slack
from hatchet_worker.integrations.stripe import Stripe
from hatchet_worker.registry import Registry

PROJECT: Final = Path(__file__).parents[4] / "pyproject.toml"
ENTRY_POINTS: Final[Mapping[str, str]] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))[
    "project"
]["entry-points"]["hatchet.integrations"]
SDKS: Final = frozenset({"aiosmtplib", "boto3", "botocore", "slack_sdk", "stripe"})
MODULES: Final = sorted(Path(integrations.__path__[0]).rglob("[a-z]*.py"))


def made(name: str) -> Integration:
    """Return the integration behind an entry point, made without arguments."""
    module, _, attribute = ENTRY_POINTS[name].partition(":")
    integration = getattr(import_module(module), attribute)()
    assert isinstance(integration, Integration)
    return integration


def undescribed(schema: Any, path: str = "") -> Iterator[str]:
    """Yield where a JSON Schema has a property that nothing explains."""
    if isinstance(schema, list):
        for at, each in enumerate(schema):
            yield from undescribed(each, f"{path}[{at}]")
    if isinstance(schema, dict):
        for name, value in (schema.get("properties") or {}).items():
            if not value.get("description"):
                yield f"{path}.{name}"
        for name, value in schema.items():
            yield from undescribed(value, f"{path}.{name}")


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_the_integration_of_its_name(name: str) -> None:
    integration = made(name)

    assert integration.id == name
    assert type(integration).__doc__


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_everything_about_an_action_is_explained(name: str) -> None:
    integration = made(name)
    Registry([integration])

    for verb in integration.actions:
        signature = integration.action_signature(verb)
        assert signature.description, verb
        assert list(undescribed(signature.with_)) == [], verb
        assert list(undescribed(signature.outputs)) == [], verb


def test_the_entry_points_are_sorted() -> None:
    assert list(ENTRY_POINTS) == sorted(ENTRY_POINTS)


@pytest.mark.parametrize(
    ("integration", "module", "extra"),
    [(Slack, "slack_sdk.errors", "slack"), (Stripe, "stripe", "stripe")],
)
def test_an_sdk_that_is_not_installed_is_told_when_the_integration_is_made(
    integration: type[Slack | Stripe],
    module: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtra, match=rf"pip install 'hatchet-workflows\[{extra}\]'"):
        integration()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_sdk_is_loaded_before_an_integration_is_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what an integration does can be read without it."""
    for module in [*SDKS, *sys.modules]:
        if module.partition(".")[0] in SDKS:
            monkeypatch.setitem(sys.modules, module, None)

    runpy.run_path(str(path))
