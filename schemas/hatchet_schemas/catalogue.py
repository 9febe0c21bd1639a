"""What a worker can do, as data: its actions, what each takes, and what it puts out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from hatchet_schemas.actions import ActionId
from hatchet_schemas.errors import SchemaError
from hatchet_schemas.model import Model
from hatchet_schemas.modes import Mode

__all__ = ["ActionSignature", "Catalogue", "Semantics"]

Semantics = Literal["at-most-once", "idempotent"]
"""How often an action may be run for one step.

``at-most-once``: a second time would do harm, so that a step whose outcome is unknown fails.
``idempotent``: running it again does no harm, however far it got before.
"""


def _is_regular(mode: Mode) -> bool:
    return mode == "regular"


class ActionSignature(Model):
    """What is known of an action.

    ``with`` and ``outputs`` are JSON Schemas (draft 2020-12) of what it takes and puts out; None
    where that is not known. ``semantics`` is None where the action's author declares nothing.
    ``mode`` is how it runs by default; regular ones are written as before there were others.
    """

    description: str | None = None
    semantics: Semantics | None = None
    mode: Annotated[Mode, Field(exclude_if=_is_regular)] = "regular"
    with_: Annotated[dict[str, Any] | None, Field(alias="with")] = None
    outputs: dict[str, Any] | None = None

    @property
    def declared(self) -> str:
        """What its author declares, for people: ``idempotent, local by default``, or nothing."""
        mode = None if self.mode == "regular" else f"{self.mode} by default"
        return ", ".join(filter(None, (self.semantics, mode)))


class Catalogue(Model):
    """The actions of one worker or of several, by their ids.

    ``format`` is this model's version: whoever reads one refuses what it does not know.
    """

    format: Literal[1] = 1
    actions: dict[ActionId, ActionSignature] = Field(
        default_factory=dict[ActionId, ActionSignature]
    )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the catalogue that `to_json` wrote.

        Raises:
            SchemaError: it is none; the message names the fields.

        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            findings = "; ".join(
                f"{'.'.join(map(str, detail['loc'])) or 'catalogue'}: {detail['msg']}"
                for detail in details[:5]
            )
            raise SchemaError(f"this is no catalogue of actions: {findings}") from None

    def to_json(self) -> str:
        """Return the catalogue as JSON for people and version control: indented, in order."""
        ordered = self.model_copy(update={"actions": dict(sorted(self.actions.items()))})
        return ordered.model_dump_json(indent=2)

    @classmethod
    def merged(cls, catalogues: Iterable[Catalogue]) -> Self:
        """Return all actions of ``catalogues`` as one.

        Raises:
            SchemaError: two of them know the same action with different signatures.

        """
        actions: dict[ActionId, ActionSignature] = {}
        for catalogue in catalogues:
            for action_id, signature in catalogue.actions.items():
                if actions.setdefault(action_id, signature) != signature:
                    raise SchemaError(f"the action {action_id!r} is there twice, and differs")
        return cls(actions=dict(sorted(actions.items())))
