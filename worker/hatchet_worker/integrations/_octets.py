"""Bytes in the parameters of steps, which are JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator

__all__ = ["Base64"]


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("expected base64") from None
    return text


Base64 = Annotated[str, AfterValidator(_base64)]
"""Bytes as base64, which can be decoded."""
