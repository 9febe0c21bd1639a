"""The base class of integrations."""

from typing import Any

import pytest

from hatchet_worker import Integration, IntegrationError, IntegrationLike, UnknownAction, action


class Sandbox(Integration):
    """An integration with an async and a sync action."""

    id = "sandbox"

    @action("create")
    async def create(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the owner's sandbox."""
        return {"url": f"https://{data['owner']}.example"}

    @action("remove")
    def remove(self, data: dict[str, Any]) -> None:
        """Do nothing."""


def test_it_lists_its_actions_in_the_order_of_their_definition() -> None:
    """A list that people read keeps the author's order."""
    assert Sandbox().actions == ("create", "remove")


def test_it_is_what_a_worker_needs() -> None:
    """The base class is one way to have the protocol."""
    assert isinstance(Sandbox(), IntegrationLike)


async def test_its_actions_can_be_called_directly_and_by_verb() -> None:
    """Users test their methods without a worker."""
    outputs = Sandbox().perform_action("create", {"owner": "ada"})

    assert await outputs == await Sandbox().create({"owner": "ada"})  # type: ignore[misc]


def test_it_knows_which_actions_are_async() -> None:
    """The others must not block the event loop."""
    assert Sandbox().is_async("create")
    assert not Sandbox().is_async("remove")


def test_an_unknown_verb_is_an_error() -> None:
    """Also for those who call it without a registry."""
    with pytest.raises(UnknownAction, match="sandbox has no action 'destroy'"):
        Sandbox().perform_action("destroy", {})


def test_a_subclass_inherits_overrides_and_adds_actions() -> None:
    """An override needs no second mark, and the parent stays as it was."""
    removed: list[str] = []

    class Bigger(Sandbox):
        id = "bigger"

        def remove(self, data: dict[str, Any]) -> None:
            removed.append(data["owner"])

        @action("resize")
        def resize(self, data: dict[str, Any]) -> None: ...

    Bigger().perform_action("remove", {"owner": "ada"})

    assert Bigger().actions == ("create", "remove", "resize")
    assert removed == ["ada"]
    assert Sandbox().actions == ("create", "remove")


@pytest.mark.parametrize("text", ["", "sand box", "sandbox:eu", "-sandbox"])
def test_an_id_that_no_action_id_can_hold_is_refused_at_definition(text: str) -> None:
    """No workflow file could name its actions."""
    with pytest.raises(IntegrationError, match=r"Broken: .* is not an integration's id"):
        type("Broken", (Integration,), {"id": text})
