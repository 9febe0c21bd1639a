"""`hatchet actions`, as scripts and people rely on it."""

from __future__ import annotations

import json

import pytest
from tests.acceptance.conftest import Project

from hatchet_schemas.catalogue import Catalogue

SHOP = '''
from pydantic import BaseModel
from hatchet_worker import Context, Integration, Worker, action

class Card(BaseModel):
    number: str

class Shop(Integration):
    id = "shop"

    @action("charge", semantics="at-most-once")
    async def charge(self, card: Card, context: Context) -> dict:
        """Charge a card.

        Once only.
        """
        return {}

    @action("refund", mode="local")
    def refund(self, data: dict) -> None:
        ...

worker = Worker([Shop()])
listed = [Shop()]
'''
MAIL = """
class Mail:
    id = "mail"
    actions = ["send"]
    def perform_action(self, action, data):
        return {}

mail = Mail()
"""


@pytest.fixture
def shop(offline_project: Project) -> Project:
    """A project with two modules of integrations."""
    offline_project.write("shop.py", SHOP)
    offline_project.write("mail.py", MAIL)
    return offline_project


def test_actions_are_listed_with_what_they_do(shop: Project) -> None:
    result = shop.hatchet("actions", "list", "shop:worker", "mail:mail")

    assert result.code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "mail:send",
        "shop:charge  [at-most-once] Charge a card.",
        "shop:refund  [local by default]",
    ]


def test_the_list_is_printed_as_json_too(shop: Project) -> None:
    result = shop.hatchet("actions", "list", "shop:listed", "-o", "json")

    assert json.loads(result.stdout) == [
        {
            "actionId": "shop:charge",
            "semantics": "at-most-once",
            "mode": "regular",
            "description": "Charge a card.\n\nOnce only.",
        },
        {"actionId": "shop:refund", "semantics": None, "mode": "local", "description": None},
    ]


def test_the_catalogue_of_several_apps_is_exported(shop: Project) -> None:
    """The same integration in two of them is one."""
    printed = shop.hatchet("actions", "export", "shop:worker", "shop:listed", "mail:mail")
    written = shop.hatchet(
        "actions", "export", "shop:worker", "mail:mail", "--output-file", "actions.json"
    )

    catalogue = Catalogue.from_json(printed.stdout)
    assert (printed.code, written.code, written.stdout) == (0, 0, "")
    assert Catalogue.from_json((shop.folder / "actions.json").read_text()) == catalogue
    assert list(catalogue.actions) == ["mail:send", "shop:charge", "shop:refund"]
    [with_] = [sig.with_ for id_, sig in catalogue.actions.items() if id_ == "shop:charge"]
    assert with_
    assert with_["required"] == ["number"]


def test_apps_that_contradict_each_other_are_told(shop: Project) -> None:
    shop.write("other.py", SHOP.replace("number", "iban"))

    result = shop.hatchet("actions", "export", "shop:worker", "other:worker")

    assert result.code == 2
    assert "the action 'shop:charge' is there twice, and differs" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list"], "which integrations?"),
        (["list", "nowhere:worker"], "there is no module 'nowhere'"),
        (["export", "shop:worker", "--output-file", "/nowhere/a.json"], "cannot write"),
    ],
)
def test_what_cannot_be_read_or_written_is_exit_code_2(
    shop: Project, arguments: list[str], message: str
) -> None:
    result = shop.hatchet("actions", *arguments)

    assert result.code == 2
    assert message in result.stderr


def test_one_action_is_run_by_hand(shop: Project) -> None:
    done = shop.hatchet("actions", "run", "shop:charge", "shop:worker", "-d", '{"number": "4242"}')
    wrong = shop.hatchet("actions", "run", "shop:charge", "shop:worker", "-d", "-", stdin="{}")

    assert (done.code, json.loads(done.stdout)) == (0, {})
    assert (wrong.code, wrong.stdout) == (2, "")
    assert wrong.stderr == "hatchet: shop:charge: InvalidInput: number: Field required\n"


def test_what_a_worker_has_besides_is_not_for_one_action(shop: Project) -> None:
    """`HATCHET_INTEGRATIONS` is for workers, which may need secrets that are not here."""
    named = shop.hatchet(
        *("actions", "run", "shop:refund", "shop:worker"), HATCHET_INTEGRATIONS="nowhere"
    )
    installed = shop.hatchet(
        *("actions", "run", "log:write", "-d", '{"message": "hello"}'), HATCHET_INTEGRATIONS="http"
    )

    assert (named.code, named.stderr) == (0, "")
    assert installed.code == 0, installed.stderr
