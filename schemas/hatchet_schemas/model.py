"""What all models of the contracts have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["GrammarModel", "Model"]


class Model(BaseModel):
    """A frozen value: no unknown fields, no silent coercion, named on the wire as in the file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )


class GrammarModel(Model):
    """A part of the workflow file; what stands below a field explains it in editors too."""

    model_config = ConfigDict(use_attribute_docstrings=True)
