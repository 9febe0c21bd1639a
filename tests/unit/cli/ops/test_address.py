"""How an operator says where the port is."""

from __future__ import annotations

import pytest

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.ops.address import OpsAddress, read_ops_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", OpsAddress("127.0.0.1", 9464)),
        (":9464", OpsAddress(None, 9464)),
        (" localhost:0 ", OpsAddress("localhost", 0)),
        ("[::1]:9464", OpsAddress("::1", 9464)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: OpsAddress) -> None:
    assert read_ops_address({"HATCHET_OPS_ADDRESS": text}) == address
    assert str(address) == text.strip()


@pytest.mark.parametrize("environment", [{}, {"HATCHET_OPS_ADDRESS": ""}])
def test_without_one_there_is_no_port(environment: dict[str, str]) -> None:
    assert read_ops_address(environment) is None


@pytest.mark.parametrize("text", ["9464", "localhost", "localhost:", "::1:9464", "a:65536", "a:x"])
def test_all_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(CommandError, match="expected host:port") as caught:
        read_ops_address({"HATCHET_OPS_ADDRESS": text})

    assert caught.value.code is ExitCode.USAGE
