"""The actions of a worker, and what it says of those that it does not have."""

from collections.abc import Awaitable
from typing import Any

import pytest

from hatchet_schemas import ActionId
from hatchet_worker import Integration, IntegrationError, Registry, UnknownAction, action


class Slack(Integration):
    """Two workspaces are two instances."""

    def __init__(self, integration_id: str = "slack") -> None:
        self.id = integration_id

    @action("create-channel")
    async def create_channel(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what was asked for."""
        return data

    @action("invite")
    def invite(self, data: dict[str, Any]) -> None:
        """Do nothing."""


class Plain:
    """An integration without the base class."""

    def __init__(self, integration_id: str = "plain", actions: tuple[str, ...] = ("do",)) -> None:
        self.id = integration_id
        self.actions = actions

    async def perform_action(self, verb: str, data: dict[str, Any], /) -> dict[str, Any]:
        """Return what was asked for."""
        return {"verb": verb, **data}


def test_actions_are_found_by_their_ids() -> None:
    """Two instances of one class are two integrations."""
    registry = Registry([Slack(), Slack("slack-eu"), Plain()])

    assert list(registry) == [
        "plain:do",
        "slack-eu:create-channel",
        "slack-eu:invite",
        "slack:create-channel",
        "slack:invite",
    ]
    assert registry[ActionId("slack-eu:invite")].integration.id == "slack-eu"


def test_only_what_is_async_may_run_on_the_event_loop() -> None:
    """All else runs in a thread."""
    registry = Registry([Slack(), Plain()])

    assert registry["slack:create-channel"].is_async
    assert not registry["slack:invite"].is_async
    assert registry["plain:do"].is_async


async def test_an_overridden_perform_action_is_honoured() -> None:
    """A subclass can wrap all of its actions."""

    class Audited(Slack):
        def perform_action(self, verb: str, data: dict[str, Any], /) -> Any:
            return super().perform_action(verb, {**data, "audited": True})

    registered = Registry([Audited()])["slack:create-channel"]
    outputs = registered.perform({"name": "ada"})

    assert registered.is_async
    assert isinstance(outputs, Awaitable)
    assert await outputs == {"name": "ada", "audited": True}


def test_a_near_miss_is_suggested() -> None:
    """Most unknown actions are typing errors."""
    with pytest.raises(UnknownAction) as caught:
        Registry([Slack()])["slack:create-chanel"]

    assert str(caught.value) == (
        "unknown action 'slack:create-chanel': did you mean 'slack:create-channel'? "
        "this worker has slack:create-channel, slack:invite"
    )


def test_what_is_not_near_is_not_suggested() -> None:
    """Sharing the integration's id does not make two actions similar."""
    with pytest.raises(UnknownAction, match=r"'slack:leave': this worker has slack:create-channel"):
        Registry([Slack()])["slack:leave"]


def test_a_worker_without_integrations_says_so() -> None:
    """An empty list would look like a bug of ours."""
    with pytest.raises(UnknownAction, match="this worker has no actions at all"):
        Registry([])["slack:invite"]


def test_a_long_list_of_actions_is_cut() -> None:
    """The message stays readable."""
    verbs = tuple(f"do-{number}" for number in range(60))

    with pytest.raises(UnknownAction, match="and 10 more"):
        Registry([Plain(actions=verbs)])["other:thing"]


def test_an_action_claimed_twice_is_an_error() -> None:
    """The message names both integrations."""
    with pytest.raises(IntegrationError, match=r"'slack:invite' is claimed twice: by Plain\("):
        Registry([Plain("slack", ("invite",)), Slack()])


class _NoActions:
    id = "nothing"

    def perform_action(self, verb: str, data: dict[str, Any], /) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        (Slack, r"Slack is a class: give the worker an instance, Slack\(\)"),
        (_NoActions(), "is no integration: it has no actions"),
        ("slack", "is no integration: it has no id and no actions and no perform_action"),
        (Plain(actions=()), "has no actions: mark methods with @action"),
        (Plain("slack:eu"), "'slack:eu' is not an integration's id"),
        (Plain(actions=("do it",)), "'plain:do it' is not an action id"),
        (type("Bare", (Integration,), {"id": "bare"})(), "has no actions"),
        (type("NoId", (Slack,), {"__init__": lambda self: None})(), "it has no id"),
    ],
)
def test_what_is_no_integration_is_refused(integration: Any, message: str) -> None:
    """When the worker is made, and with what is missing."""
    with pytest.raises(IntegrationError, match=message):
        Registry([integration])


class _Rates(Integration):
    id = "rates"

    @action("look-up", semantics="idempotent", mode="local")
    def look_up(self, data: dict[str, Any]) -> None: ...

    @action("fetch")
    def fetch(self, data: dict[str, Any]) -> None: ...


class _Elsewhere(_Rates):
    id = "elsewhere"

    def look_up(self, data: dict[str, Any]) -> None: ...


def test_the_default_mode_of_an_action_is_what_its_method_declares() -> None:
    """An action that is not there, or of an integration without the base class, is regular."""
    registry = Registry([_Rates(), _Elsewhere(), Plain()])

    assert {
        action_id: registry.default_mode(action_id) for action_id in (*registry, "rates:sing")
    } == {
        "elsewhere:fetch": "regular",
        "elsewhere:look-up": "local",
        "plain:do": "regular",
        "rates:fetch": "regular",
        "rates:look-up": "local",
        "rates:sing": "regular",
    }
    assert registry["rates:look-up"].mode == "local"
    assert registry.catalogue().actions[ActionId("rates:look-up")].mode == "local"
