"""What pydantic says is wrong with a value, where no words of our own say it better."""

from __future__ import annotations

from pydantic_core import ErrorDetails

__all__ = ["words_of"]


def words_of(details: ErrorDetails) -> str:
    """Return it as a part of a sentence; what a validator of ours says stays as it is."""
    message = details["msg"]
    if details["type"] == "value_error":
        return message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
