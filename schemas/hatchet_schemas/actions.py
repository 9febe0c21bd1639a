"""Action ids: which integration is called, and what it shall do."""

from __future__ import annotations

import re
from typing import Final, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hatchet_schemas.errors import SchemaError, shown

__all__ = ["ActionId"]

_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_ACTION_ID: Final = re.compile(rf"({_PART}):({_PART})(?::({_PART}))?", re.ASCII)


class ActionId(str):
    """``integration:verb``, such as ``slack:create-channel``, with an optional third part.

    It is its own text, so that it goes unchanged into Temporal as the activity's type.

    Raises:
        SchemaError: the text is not of that form.

    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the form of ``text``."""
        if _ACTION_ID.fullmatch(text) is None:
            raise SchemaError(
                f"{shown(text)} is not an action id: "
                "expected integration:verb, such as slack:create-channel"
            )
        return super().__new__(cls, text)

    @property
    def integration(self) -> str:
        """The integration's id, the part before the first colon."""
        return self.partition(":")[0]

    @property
    def verb(self) -> str:
        """What the integration shall do: all behind the first colon."""
        return self.partition(":")[2]

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate from text, serialise to text."""
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(strict=True)
        )
