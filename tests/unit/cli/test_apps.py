"""The workers that the command line names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.packages import greeter, write_package

from hatchet_cli.apps import worker_wanted
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.worker_options import queues_wanted, use_wanted
from hatchet_worker import Integration, Worker, action


class Echo(Integration):
    """What a user's module has."""

    id = "echo"

    @action("say")
    def say(self, data: dict[str, str]) -> dict[str, str]:
        """Return the same."""
        return data


listed = [Echo()]
worker = Worker([Echo()], ["mine"])


@pytest.fixture(autouse=True)
def _site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    write_package(
        tmp_path,
        "acme-hatchet",
        {"acme_a": "acme_apps_a:Greeter"},
        {"acme_apps_a": greeter("acme_a")},
    )
    write_package(
        tmp_path,
        "hatchet-workflows",
        {"own": "own_apps:Greeter"},
        {"own_apps": greeter("own")},
    )


def test_without_anything_named_a_worker_has_what_others_packages_offer() -> None:
    assert list(worker_wanted(None).registry) == ["acme_a:greet"]


def test_our_own_integrations_are_there_when_they_are_named() -> None:
    assert list(worker_wanted(None, ["own"]).registry) == ["own:greet"]


def test_named_integrations_are_added_to_a_list() -> None:
    assert list(worker_wanted("test_apps:listed", ["own"]).registry) == ["echo:say", "own:greet"]


def test_a_worker_keeps_its_queues_unless_others_are_named() -> None:
    """The worker is one object of the user's module, so its first queues are asked for first."""
    kept = worker_wanted("test_apps:worker").queues
    replaced = worker_wanted("test_apps:worker", ["acme_a"], ["fast", "slow"])

    assert (kept, replaced.queues) == (("mine",), ("fast", "slow"))
    assert list(replaced.registry) == ["acme_a:greet", "echo:say"]


@pytest.mark.parametrize(
    ("app", "use", "queues", "message"),
    [
        (None, ["acme_b"], [], "did you mean 'acme_a'"),
        (".relative:worker", [], [], "'.relative:worker' names no worker"),
        ("test_apps:listed", ["acme_a"], ["no spaces"], "queues is"),
        ("test_apps:with_acme", ["acme_a"], [], "claimed twice"),
    ],
)
def test_what_cannot_be_is_a_wrong_command_line(
    app: str | None, use: list[str], queues: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        worker_wanted(app, use, queues)

    assert caught.value.code is ExitCode.USAGE


class Acme(Echo):
    """Of the same id as the package's, with one action of the same name."""

    id = "acme_a"

    @action("greet")
    def greet(self, data: dict[str, str]) -> None:
        """Do nothing."""


with_acme = [Acme()]


def test_the_environment_names_what_no_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATCHET_INTEGRATIONS", "slack, postmark,")
    monkeypatch.setenv("HATCHET_WORKER_QUEUES", "fast slow")

    assert use_wanted(None) == ("slack", "postmark")
    assert use_wanted(["smtp"]) == ("smtp",)
    assert queues_wanted([]) == ("fast", "slow")
    assert queues_wanted(["mine"]) == ("mine",)
