"""Values are shown without secrets."""

from __future__ import annotations

import pytest

from hatchet_cli.settings.groups import REGISTRY
from hatchet_cli.settings.shown import shown_value


@pytest.mark.parametrize(
    "name",
    [
        "HATCHET_SECRET_ANYTHING",
        "TEMPORAL_API_KEY",
        "TEMPORAL_TLS_CLIENT_KEY_DATA",
        "TEMPORAL_GRPC_META_AUTHORIZATION",
        "HATCHET_SMTP_PASSWORD",
        "HATCHET_STRIPE_API_KEY",
        "HATCHET_WEBHOOKS_SIGNING_SECRET",
        "HATCHET_LOG_SENTRY_DSN",
    ],
)
def test_secrets_are_never_shown(name: str) -> None:
    assert shown_value(name, "hunter2", REGISTRY.find(name)) == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqp://guest:guest@localhost:5672/", "amqp://***@localhost:5672/"),
        ("amqps://u:p%40@[::1]/v?cafile=x", "amqps://***@[::1]/v?***"),
        ("amqp://u:p/w@d@host/v", "amqp://***@host/v"),
        ("amqp://u:what?@host/v", "amqp://***@host/v"),
        ("amqp://u:it's@host/v", "amqp://***@host/v"),
        ('amqp://u:a"b c@host/v', "amqp://***@host/v"),
        ("amqp://u:a\nb@host/v", "amqp://***@host/v"),
        ("amqp://u:a/'b@host/v", "amqp://***@host/v"),
        ("https://d/?token=it's", "https://d/?***"),
        ("https://u:p@d/?token=a@b", "https://***@d/?***"),
        ('{"a": ["https://u:it\'s@c/"]}', '{"a": ["https://***@c/"]}'),
        (r'["https://u:a\"b@c/"]', '["https://***@c/"]'),
        ('{"https://u:p@c/": 1}', '{"https://***@c/": 1}'),
        ('{"a":1.0}', '{"a":1.0}'),
        ("[" * 5_000 + '"//u:p@c"' + "]" * 5_000, "[" * 5_000 + '"//u:p@c"' + "]" * 5_000),
        ("[" * 5_000 + '"a://u:p@c"' + "]" * 5_000, "[" * 5_000 + '"a://***@c"' + "]" * 5_000),
        ('["https://a:b@c/", "https://d/?token=e"]', '["https://***@c/", "https://d/?***"]'),
        ("amqp://localhost/", "amqp://localhost/"),
        ("someone@example.com", "someone@example.com"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
    ],
)
def test_addresses_are_shown_without_credentials(text: str, shown: str) -> None:
    assert shown_value("HATCHET_AMQP_URL", text) == shown


@pytest.mark.parametrize(
    "name", ["HATCHET_SECRETS_DIR", "TEMPORAL_TLS_CLIENT_KEY_PATH", "HATCHET_AMQP_TLS_KEY"]
)
def test_where_secrets_are_is_none(name: str) -> None:
    assert shown_value(name, "/run/x", REGISTRY.find(name)) == "/run/x"
