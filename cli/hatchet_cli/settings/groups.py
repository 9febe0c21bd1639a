"""All settings there are.

What adds settings adds them to a group here, and to docs/settings.md by
``python -m hatchet_cli.settings.documentation``.
"""

from __future__ import annotations

from typing import Final

from hatchet_cli.settings.known import Family, Group, Registry, Setting, of_model
from hatchet_cli.settings.models import DoctorSettings, FileSettings, LogSettings
from hatchet_router.settings import RouterSettings
from hatchet_worker.settings import WorkerSettings

__all__ = ["REGISTRY"]

# The prebuilt integrations, whose options are HATCHET_<INTEGRATION>_<OPTION>.
_INTEGRATIONS: Final = (
    "event",
    "http",
    "postmark",
    "s3",
    "sendgrid",
    "ses",
    "slack",
    "smtp",
    "stripe",
)
_CLOUD: Final = "as for Temporal's own tools"

_TEMPORAL: Final = (
    Setting(
        names=("TEMPORAL_ADDRESS",),
        default="`localhost:7233`",
        meaning="Where Temporal is, `host:port`.",
    ),
    Setting(names=("TEMPORAL_NAMESPACE",), default="`default`", meaning="The namespace."),
    Setting(
        names=("TEMPORAL_API_KEY",),
        secret=True,
        meaning="A key of Temporal Cloud; with it TLS is on.",
    ),
    Setting(names=("TEMPORAL_TLS",), meaning="Whether to speak TLS, `true` or `false`."),
    Setting(
        names=("TEMPORAL_TLS_CLIENT_CERT_PATH",),
        meaning="Our certificate, for mutual TLS: a file in PEM.",
    ),
    Setting(
        names=("TEMPORAL_TLS_CLIENT_CERT_DATA",),
        meaning="The certificate itself, instead of a file.",
    ),
    Setting(names=("TEMPORAL_TLS_CLIENT_KEY_PATH",), meaning="Its private key: a file in PEM."),
    Setting(
        names=("TEMPORAL_TLS_CLIENT_KEY_DATA",),
        secret=True,
        meaning="The key itself, instead of a file.",
    ),
    Setting(
        names=("TEMPORAL_TLS_SERVER_CA_CERT_PATH",),
        meaning="Who vouches for the server, where the system's authorities do not: a file in PEM.",
    ),
    Setting(
        names=("TEMPORAL_TLS_SERVER_CA_CERT_DATA",),
        meaning="The authority's certificate itself, instead of a file.",
    ),
    Setting(
        names=("TEMPORAL_TLS_SERVER_NAME",),
        meaning="The name in the server's certificate, where it is not that of the address.",
    ),
    Setting(
        names=("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",),
        meaning="Temporal's Python client does not support it: certificates are always verified.",
    ),
    Setting(
        names=("TEMPORAL_PROFILE",),
        default="`default`",
        meaning="The profile of Temporal's configuration file to use.",
    ),
    Setting(
        names=("TEMPORAL_CONFIG_FILE",),
        default="Temporal's own",
        meaning="That file; the variables above go before what it says.",
    ),
    Family(
        prefix="TEMPORAL_GRPC_META_",
        ending="<NAME>",
        secret=True,
        meaning="A header to send with each request.",
    ),
)

REGISTRY: Final = Registry(
    (
        Group("Files", of_model(FileSettings)),
        Group("Router", of_model(RouterSettings)),
        Group(
            "Worker",
            (
                *of_model(WorkerSettings),
                Setting(
                    names=("HATCHET_INTEGRATIONS",),
                    meaning="The ids of "
                    "[installed integrations](integrations.md#installed-integrations) that a "
                    "worker has, such as `slack,postmark`; what `--use` is for.",
                ),
                Setting(
                    names=("HATCHET_WORKER_QUEUES",),
                    meaning="The queues whose jobs a worker runs, such as `fast,slow`; "
                    "what `--queue` is for.",
                ),
                Family(
                    prefix="HATCHET_SECRET_",
                    ending="<NAME>",
                    secret=True,
                    meaning="The secret `<NAME>`, for [templates](workflows.md#secrets) and "
                    "integrations; a `-` in the name is written `_`.",
                ),
                *(
                    Family(
                        prefix=f"HATCHET_{name.upper()}_",
                        ending="<OPTION>",
                        meaning=f"An option of the integration `{name}`, where it is used.",
                    )
                    for name in _INTEGRATIONS
                ),
            ),
        ),
        Group("Logs", of_model(LogSettings, log_format="by terminal")),
        Group(
            "Operating",
            (
                Setting(
                    names=("HATCHET_OPS_ADDRESS",),
                    default="none",
                    meaning="Where a router, a worker, `hatchet webhooks` or "
                    "`hatchet codec-server` answers probes, and tells its metrics: `host:port`, "
                    "or `:port` for all addresses of the machine.",
                ),
            ),
        ),
        Group(
            "Encryption",
            (
                Setting(
                    names=("HATCHET_ENCRYPTION_KEYS",),
                    default="none",
                    secret=True,
                    meaning="Keys by which data is [encrypted](security.md#encrypted-data) before "
                    "it goes to Temporal, `<id>:<key>` each, the newest first. For routers, "
                    "workers and commands alike.",
                ),
                Setting(
                    names=("HATCHET_ENCRYPTION_KEYS_FILE",),
                    default="none",
                    meaning="A file with them, instead.",
                ),
                Setting(
                    names=("HATCHET_CODEC_TOKEN",),
                    default="none",
                    secret=True,
                    meaning="The bearer token that `hatchet codec-server` demands.",
                ),
            ),
        ),
        Group("Doctor", of_model(DoctorSettings)),
        Group("Temporal", _TEMPORAL),
    )
)
