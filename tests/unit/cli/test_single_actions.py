"""One action by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.packages import greeter, write_package

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.single_actions import perform
from hatchet_worker import Context, Integration, NonRetryable, action


class Shop(Integration):
    """What a user's module has."""

    id = "shop"
    secrets = ("SHOP_KEY",)

    @action("charge")
    async def charge(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Charge as told."""
        await asyncio.sleep(0)
        if data.get("fail") == "final":
            raise NonRetryable("card refused")
        if data.get("fail"):
            raise OSError(f"no answer to {context.secrets['SHOP_KEY']}")
        return {"used": context.secrets["SHOP_KEY"], "key": context.idempotency_key}


shop = Shop()
APP = "test_single_actions:shop"


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("HATCHET_SECRET_SHOP_KEY", "key-of-the-shop")


def test_its_outputs_come_back_without_secrets() -> None:
    assert perform("shop:charge", {}, APP, [])["used"] == "***"


def test_each_time_is_another_for_services_with_idempotency_keys() -> None:
    assert perform("shop:charge", {}, APP, [])["key"] != perform("shop:charge", {}, APP, [])["key"]


def test_an_installed_integration_is_found_by_the_action_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write_package(
        tmp_path, "acme", {"acme_run": "acme_run:Greeter"}, {"acme_run": greeter("acme_run")}
    )

    assert perform("acme_run:greet", {"name": "Ada"}, None, []) == {"text": "hello Ada"}


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        ("once", r"shop:charge: OSError: no answer to \*\*\* \(a worker would try again\)$"),
        ("final", r"shop:charge: NonRetryable: card refused$"),
    ],
)
def test_a_failure_is_told_as_it_is_sorted(fail: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        perform("shop:charge", {"fail": fail}, APP, [])

    assert caught.value.code is ExitCode.FINDINGS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop:charg", "did you mean 'shop:charge'"),
        ("shop", "is not an action id"),
    ],
)
def test_an_action_that_is_not_there_is_a_wrong_command_line(name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        perform(name, {}, APP, [])

    assert caught.value.code is ExitCode.USAGE


def test_a_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HATCHET_SECRET_SHOP_KEY")

    with pytest.raises(CommandError, match="integration shop needs secret SHOP_KEY") as caught:
        perform("shop:charge", {}, APP, [])

    assert caught.value.code is ExitCode.USAGE
