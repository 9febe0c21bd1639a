"""What is told of an integration comes from its code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from hatchet_worker import Integration, action
from hatchet_worker.reference import FieldReference, IntegrationReference, reference_of


class Address(BaseModel):
    """Who."""

    email: str


class Letter(BaseModel):
    """What is sent."""

    to: list[Address] = Field(description="Who gets\nit.")
    kind: Literal["plain", "html"] = "plain"
    copies: int | None = None
    headers: dict[str, str] = {}
    count: int = Field(3, alias="how-many")


class Sent(BaseModel):
    """What came of it."""

    id: str


class Post(Integration):
    """Sends letters.

    On paper.
    """

    id = "post"
    secrets = ("STAMPS",)

    def __init__(self) -> None:
        raise RuntimeError("nobody has to make one")

    @action("send", semantics="at-most-once")
    def send(self, letter: Letter) -> Sent:
        """Send a letter.

        Once.
        """
        return Sent(id=str(letter))

    @action("look")
    def look(self, data: dict[str, Any]) -> None:
        """Look into the box."""


def test_a_class_is_told_without_being_made() -> None:
    told = reference_of(Post)

    assert (told.id, told.secrets) == ("post", ("STAMPS",))
    assert told.description == "Sends letters.\n\nOn paper."
    send, look = told.actions
    assert (send.id, send.semantics, send.summary) == (
        "post:send",
        "at-most-once",
        "Send a letter.",
    )
    assert (look.parameters, look.results) == (None, ())


def test_fields_are_told_with_those_inside_them() -> None:
    send = reference_of(Post).actions[0]

    assert send.parameters == (
        FieldReference(
            "to", "list of map", required=True, default=None, description="Who gets it."
        ),
        FieldReference("to[].email", "string", required=True, default=None, description=""),
        FieldReference(
            "kind", '"plain" or "html"', required=False, default='"plain"', description=""
        ),
        FieldReference("copies", "integer or null", required=False, default=None, description=""),
        FieldReference("headers", "map of string", required=False, default="{}", description=""),
        FieldReference("how-many", "integer", required=False, default="3", description=""),
    )
    assert send.results == (
        FieldReference("id", "string", required=True, default=None, description=""),
    )


class Bare:
    """No base class."""

    id = "bare"
    actions = ("do",)

    def perform_action(self, verb: str, data: dict[str, Any], /) -> None:
        """Do it."""


def test_an_integration_without_the_base_class_tells_its_verbs() -> None:
    told = reference_of(Bare())

    assert [each.id for each in told.actions] == ["bare:do"]
    assert told == IntegrationReference("bare", "No base class.", (), told.actions)


class Tree(BaseModel):
    """A model that holds itself."""

    branches: list[Tree] = []


class Garden(Integration):
    """Has trees."""

    id = "garden"

    @action("plant")
    def plant(self, tree: Tree) -> None:
        """Plant a tree."""


def test_models_that_hold_themselves_have_an_end() -> None:
    [plant] = reference_of(Garden).actions

    assert plant.parameters
    assert plant.parameters[1].name == "branches[].branches"
    assert len(plant.parameters) == 5
