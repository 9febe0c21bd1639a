"""The settings of the command line itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["DoctorSettings", "FileSettings", "LogSettings"]

_CONFIG = SettingsConfigDict(
    env_prefix="HATCHET_",
    frozen=True,
    extra="ignore",
    populate_by_name=True,
    env_ignore_empty=True,
    use_attribute_docstrings=True,
)


def _in_capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class FileSettings(BaseSettings):
    """Which files hold further settings; only the environment can say."""

    model_config = _CONFIG

    env_file: Path = Path(".env")
    """A file of variables, `NAME=value` each; `/dev/null` for none."""

    config: Path = Path("hatchet.toml")
    """A file of settings as [TOML](#hatchettoml); `/dev/null` for none."""


class DoctorSettings(BaseSettings):
    """What `hatchet doctor` can look at besides."""

    model_config = _CONFIG

    management_url: str | None = None
    """RabbitMQ's management API, `http[s]://[user:password@]host:15672`, where `hatchet doctor` may
    look at it; without a user it is that of AMQP, who needs the tag `monitoring`."""


class LogSettings(BaseSettings):
    """How a process logs."""

    model_config = _CONFIG

    log_format: Literal["pretty", "json"] | None = None
    """`pretty` or `json`; without it `pretty` on a terminal, `json` elsewhere."""

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_in_capitals)
    ] = "INFO"
    """`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."""
