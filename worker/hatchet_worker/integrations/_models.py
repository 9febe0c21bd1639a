"""What the parameters and the results of all prebuilt integrations have in common."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict

from hatchet_schemas.model import Model

__all__ = ["Params", "Result", "with_hint"]


class Params(Model):
    """A step's ``with``: strict, without unknown fields; what stands below a field explains it."""

    model_config = ConfigDict(use_attribute_docstrings=True, validate_by_name=False)


class Result(BaseModel):
    """A step's outputs, each of which is explained likewise."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


def with_hint(message: str | None, status: int | None, secret: str) -> str:
    """Return a provider's ``message``, and that ``secret`` may be wrong where it refused that."""
    message = message or "no reason given"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{message} (is the secret {secret} the right one?)"
    return message
