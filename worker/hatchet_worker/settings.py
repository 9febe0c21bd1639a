"""The worker's settings, read from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["SECRETS_FOLDER", "WorkerSettings"]

SECRETS_FOLDER: Final = "/run/secrets"


class WorkerSettings(BaseSettings):
    """What a worker is told that its program does not say."""

    model_config = SettingsConfigDict(
        env_prefix="HATCHET_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    secrets_dir: Path = Path(SECRETS_FOLDER)
    """A folder with one file for each secret, for those that no variable has."""
