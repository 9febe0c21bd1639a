"""Where a server is, by its address, and addresses that name no port."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hatchet_cli.broker_diagnosis import diagnose_broker
from hatchet_cli.dev.backends import start_backends
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.host_ports import host_and_port
from hatchet_cli.main import app
from hatchet_cli.secure_temporal.__main__ import main as secure_temporal
from hatchet_cli.temporal_diagnosis import diagnose_temporal
from hatchet_router.settings import RouterSettings
from hatchet_worker.connection import TemporalSettings

NOWHERE = "127.0.0.1:1"
NO_PORTS = ["70000", "-1", "port"]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("broker:1234", ("broker", 1234)),
        ("broker", ("broker", 7)),
        ("amqps://user:word@broker:1234/vhost", ("broker", 1234)),
        ("amqps://[::1]", ("::1", 7)),
        (":1234", ("localhost", 1234)),
        ("broker:70000", None),
        ("amqps://broker:port/", None),
        ("amqps://[::1", None),
    ],
)
def test_a_place_is_a_host_and_a_port(address: str, place: tuple[str, int] | None) -> None:
    assert host_and_port(address, 7) == place


def test_the_default_may_go_by_the_scheme() -> None:
    assert host_and_port("amqps://broker/", {"amqps": 5671}) == ("broker", 5671)
    assert host_and_port("http://broker/", {"amqps": 5671}) is None


@pytest.mark.parametrize("port", NO_PORTS)
def test_webhooks_refuse_an_option_that_is_no_port(port: str) -> None:
    """In the words of the option, not of the setting that it goes before."""
    done = CliRunner().invoke(app, ["webhooks", "github", "--port", port])

    assert done.exit_code == ExitCode.USAGE
    assert "'--port'" in done.output


@pytest.mark.parametrize("port", NO_PORTS)
def test_a_temporal_with_certificates_refuses_it_as_well(
    port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--certs", str(tmp_path), "serve"]
    assert secure_temporal([*folder, "--address", f"localhost:{port}"]) == ExitCode.USAGE
    assert f"'localhost:{port}' is no host:port to listen on" in capsys.readouterr().err

    with pytest.raises(SystemExit):
        secure_temporal([*folder, f"--ui-port={port}"])
    assert f"{port!r} is no port, expected 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("port", NO_PORTS)
async def test_the_doctor_tells_of_it_and_goes_on(port: str) -> None:
    """Though an encrypted address is one that he looks at more closely."""
    [of_broker] = await diagnose_broker(RouterSettings(amqp_url=f"amqps://127.0.0.1:{port}/"))
    [of_temporal] = await diagnose_temporal(TemporalSettings(address=f"a:{port}", tls=True))

    assert (of_broker.state, of_temporal.state) == ("problem", "problem")
    assert "port" in of_broker.detail.lower()
    assert "port" in of_temporal.detail.lower()


@pytest.mark.parametrize("port", NO_PORTS)
@pytest.mark.parametrize("server", ["HATCHET_AMQP_URL", "TEMPORAL_ADDRESS"])
async def test_the_development_servers_are_not_started_instead(port: str, server: str) -> None:
    amqp = f"amqp://127.0.0.1:{port}/" if server == "HATCHET_AMQP_URL" else f"amqp://{NOWHERE}/"
    temporal = f"127.0.0.1:{port}" if server == "TEMPORAL_ADDRESS" else NOWHERE

    with ExitStack() as lifetime, pytest.raises(CommandError, match=server) as caught:
        await start_backends(
            RouterSettings(amqp_url=amqp), TemporalSettings(address=temporal), lifetime
        )

    assert caught.value.code is ExitCode.USAGE
