"""Addresses are shown without what must not be seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.addresses import without_credentials


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://guest:guest@localhost:5672/", "amqp://localhost:5672/"),
        ("amqp://guest:p%40ss@localhost/vhost", "amqp://localhost:5672/vhost"),
        ("amqps://u:p@broker.example.com", "amqps://broker.example.com:5671"),
        ("amqp://u:p@[::1]:7000/", "amqp://[::1]:7000/"),
        ("amqp://u@h/?password=secret#x", "amqp://h:5672/"),
        ("amqp:///", "amqp://localhost:5672/"),
        ("amqp://u:p@host:port/", "an address that is not a URL"),
        ("amqp://u:p@[::1/", "an address that is not a URL"),
        ("amqp://u:p@host:99999/", "an address that is not a URL"),
    ],
)
def test_an_address_is_scheme_host_port_and_path(url: str, shown: str) -> None:
    """With the port that is meant where none is written."""
    assert without_credentials(url) == shown


@given(
    st.text("abcXYZ019%_.~-", min_size=1).map("secret".__add__),
    st.sampled_from(["amqp://u:{}@h/", "amqp://{}:p@h:1/v", "amqp://{}@h", "amqp://h/v?a={}"]),
)
def test_no_credential_is_shown(secret: str, url: str) -> None:
    """Wherever it stands."""
    assert "secret" not in without_credentials(url.format(secret))
