"""Texts that hold secrets: by structure, so that no text can be taken for a secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hatchet_schemas.model import Model
from hatchet_schemas.names import SecretName

__all__ = ["SecretRef", "SecretText"]


class SecretRef(Model):
    """A secret's name, where its value shall stand."""

    secret: SecretName


class SecretText(Model):
    """A text of a step's ``with`` that holds secrets.

    ``at`` leads to it through field names and indices. ``parts`` joined, each secret's value in its
    place, are the text. Workflow files alone can say where a secret stands: what comes from an
    event, or from an action, is a part that is a text, whatever it holds.
    """

    at: Annotated[tuple[str | int, ...], Field(strict=False)]
    parts: Annotated[tuple[str | SecretRef, ...], Field(strict=False)]
