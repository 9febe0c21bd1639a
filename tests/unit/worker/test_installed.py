"""Integrations of installed packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packages import greeter, write_package

from hatchet_worker import IntegrationError, UnknownIntegration
from hatchet_worker.installed import InstalledIntegration, installed_integrations, used


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where packages are installed; what tests import of it is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(tmp_path)):
            del sys.modules[name]


def only(integration_id: str) -> InstalledIntegration:
    """Return the integration of that id."""
    [found] = used([integration_id], installed_integrations())
    return found


def test_what_a_package_offers_is_found_and_made(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "acme:Greeter"}, {"acme": greeter("acme")})

    found = only("acme")

    assert (found.package, found.version, found.ships_with_hatchet) == (
        "acme-hatchet",
        "1.0",
        False,
    )
    assert found.make().perform_action("greet", {"name": "Ada"}) == {"text": "hello Ada"}


@pytest.mark.parametrize("target", ["ready", "make"])
def test_an_entry_point_may_lead_to_an_integration_or_to_a_function(
    site: Path, target: str
) -> None:
    module = greeter("acme") + "\nready = Greeter()\ndef make():\n    return Greeter()\n"
    write_package(site, "acme-hatchet", {"acme": f"acme_made:{target}"}, {"acme_made": module})

    assert only("acme").make().id == "acme"


@pytest.mark.parametrize("package", ["hatchet-workflows", "Hatchet_Workflows"])
def test_our_own_are_told_from_others(site: Path, package: str) -> None:
    write_package(site, package, {"mine": "mine:Greeter"}, {})

    assert only("mine").ships_with_hatchet


def test_nothing_is_imported_before_it_is_used(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "broken_acme:It"}, {"broken_acme": "1 / 0"})

    assert only("acme").id == "acme"
    with pytest.raises(IntegrationError) as caught:
        only("acme").make()

    assert str(caught.value) == (
        "integration acme of the package acme-hatchet 1.0 cannot be imported (broken_acme:It): "
        "ZeroDivisionError: division by zero"
    )


def test_an_extra_that_is_not_installed_is_named(site: Path) -> None:
    write_package(
        site,
        "acme-hatchet",
        {"acme": "needy_acme:It"},
        {"needy_acme": "import acme_sdk"},
        extras=["acme"],
        requires=["pytest>=9", 'acme-sdk<2,>=1; extra == "acme"', "other; extra == 'docs'"],
    )

    assert (only("acme").extra, only("acme").lacking) == ("acme", ("acme-sdk",))
    with pytest.raises(
        IntegrationError,
        match=r"No module named 'acme_sdk'. Install what it needs: "
        r"pip install 'acme-hatchet\[acme\]'",
    ):
        only("acme").make()


def test_an_extra_that_is_installed_lacks_nothing(site: Path) -> None:
    write_package(
        site,
        "acme-hatchet",
        {"acme": "acme:It"},
        {},
        extras=["acme"],
        requires=["pytest; extra == 'acme'"],
    )

    assert (only("acme").extra, only("acme").lacking) == ("acme", ())


def test_an_extra_that_asks_for_nothing_is_none(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "acme:It"}, {}, extras=["acme"])

    assert (only("acme").extra, only("acme").lacking) == (None, ())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (greeter("acme").replace('"acme"', '"emca"'), "whose id is 'emca'"),
        ("def Greeter(): return 5", "whose id is None"),
        ("def Greeter(token): ...", "cannot be made without arguments"),
        ("", "cannot be imported"),
    ],
)
def test_what_is_no_integration_of_that_id_is_told(site: Path, source: str, message: str) -> None:
    write_package(site, "acme-hatchet", {"acme": "odd_acme:Greeter"}, {"odd_acme": source})

    with pytest.raises(IntegrationError, match=message):
        only("acme").make()


def test_an_unknown_id_is_told_with_near_ones_and_what_is_there(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "acme:It", "zinc": "zinc:It"}, {})

    with pytest.raises(UnknownIntegration) as caught:
        only("acne")

    assert "no installed package has an integration 'acne': did you mean 'acme'?" in str(
        caught.value
    )
    assert "acme" in str(caught.value).rpartition("installed are")[2]
    assert "zinc" in str(caught.value).rpartition("installed are")[2]


def test_two_packages_with_one_id_are_told(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "acme:It"}, {})
    write_package(site, "emca-hatchet", {"acme": "emca:It"}, {}, version="2.1")

    with pytest.raises(
        IntegrationError, match=r"offered by acme-hatchet 1.0 and emca-hatchet 2.1: uninstall"
    ):
        only("acme")


def test_an_id_given_twice_is_used_once(site: Path) -> None:
    write_package(site, "acme-hatchet", {"acme": "acme:It"}, {})

    assert len(used(["acme", "acme"], installed_integrations())) == 1
