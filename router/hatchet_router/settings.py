"""The router's settings, read once from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, JsonValue, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hatchet_router.amqp_tls import with_tls_files
from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES
from hatchet_router.topology import Topology
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_schemas.names import (
    DEFAULT_DEPLOYMENT,
    EVENTS_EXCHANGE,
    ROUTER_QUEUE,
    WORKFLOWS_FOLDER,
    Name,
)

__all__ = ["DEFAULT_AMQP_URL", "RouterSettings"]

DEFAULT_AMQP_URL: Final = "amqp://guest:guest@localhost:5672/"


class RouterSettings(BaseSettings):
    """Where the broker is, which workflows to load, and how much to take on at once.

    Each field is read from ``HATCHET_<FIELD>``; the broker's address also from the variables that
    hosting platforms set.
    """

    model_config = SettingsConfigDict(
        env_prefix="HATCHET_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    amqp_url: Annotated[
        str,
        Field(
            validation_alias=AliasChoices(
                "HATCHET_AMQP_URL", "AMQP_URL", "RABBITMQ_URL", "CLOUDAMQP_URL"
            )
        ),
    ] = DEFAULT_AMQP_URL
    """Where RabbitMQ is: ``amqp[s]://user:password@host:port/vhost``."""

    amqp_tls_ca: Path | None = None
    """The certificate of the CA that the broker's is of, in PEM format; else the system's CAs."""

    amqp_tls_cert: Path | None = None
    """The certificate to show to the broker, in PEM format, with those between it and its CA."""

    amqp_tls_key: Path | None = None
    """The private key of ``amqp_tls_cert``; without one it is in that file, too."""

    exchange: str = EVENTS_EXCHANGE
    """The topic exchange for events, which is declared and bound."""

    more_exchanges: tuple[str, ...] = ()
    """Further exchanges to take events from, which must exist; a JSON list."""

    queue: str = ROUTER_QUEUE
    """The queue that all routers of a deployment share."""

    deployment: Name = DEFAULT_DEPLOYMENT
    """Whose [schedules](workflows.md#by-the-clock) these are: a router deletes those of its
    deployment that its files do not want, and leaves others alone. Two deployments in one Temporal
    namespace need two names; routers that share their files share the name. Letters, digits,
    ``.``, ``_``, ``-``. A new name leaves the old schedules firing: delete them in Temporal."""

    queue_expires_seconds: Annotated[int, Field(ge=1)] | None = None
    """Lets the queue vanish when unused for so long: for development on a shared broker."""

    workflows: Path = Path(WORKFLOWS_FOLDER)
    """The folder of workflow files."""

    reload: bool = False
    """Whether to watch that folder, and go by its files [as they change](deploying.md)."""

    vars: dict[Name, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Values for the templates of all workflows, ``.vars.<name>``; a JSON object."""

    prefetch: Annotated[int, Field(ge=1, le=65535)] = 64
    """How many events a router has in hand at once; with the largest body it bounds the memory."""

    max_body_bytes: Annotated[int, Field(ge=1)] = DEFAULT_MAX_BODY_BYTES
    """The largest event."""

    max_input_bytes: Annotated[int, Field(ge=1)] = MAX_PAYLOAD_BYTES
    """The largest input of a job, its event and its definition, that is handed to Temporal."""

    hold_seconds: Annotated[float, Field(gt=0, le=1500)] = 600.0
    """How long events are held while Temporal is away, before all are given back to RabbitMQ; at
    most 1500, since RabbitMQ's ``consumer_timeout`` is 30 minutes."""

    grace_seconds: Annotated[float, Field(ge=0)] = 20.0
    """How long a router finishes what it has in hand after SIGTERM."""

    webhooks_host: str = "127.0.0.1"
    """Where `hatchet webhooks` listens: an address of this machine, ``0.0.0.0`` for all."""

    webhooks_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port there; 0 is any free one."""

    webhooks_tolerance_seconds: Annotated[float, Field(gt=0)] = 300.0
    """How far the time at which a webhook was signed may be from ours."""

    webhooks_file: Path | None = None
    """The file that describes providers of webhooks."""

    @model_validator(mode="after")
    def _encrypts_where_it_should(self) -> Self:
        given = [
            name
            for name in ("amqp_tls_ca", "amqp_tls_cert", "amqp_tls_key")
            if getattr(self, name) is not None
        ]
        if given and urlsplit(self.amqp_url).scheme == "amqp":
            raise ValueError(
                f"HATCHET_{given[0].upper()} is set, but RabbitMQ's address begins with amqp:// "
                "and is not encrypted; write amqps:// and the port for TLS (5671)"
            )
        if self.amqp_tls_key is not None and self.amqp_tls_cert is None:
            raise ValueError("HATCHET_AMQP_TLS_KEY is set without HATCHET_AMQP_TLS_CERT")
        return self

    @property
    def broker_url(self) -> str:
        """The broker's address with the files for TLS as its options: what to connect to."""
        return with_tls_files(
            self.amqp_url, self.amqp_tls_ca, self.amqp_tls_cert, self.amqp_tls_key
        )

    @property
    def topology(self) -> Topology:
        """What must exist on the broker."""
        return Topology(
            exchange=self.exchange,
            more_exchanges=self.more_exchanges,
            queue=self.queue,
            expires_seconds=self.queue_expires_seconds,
        )
