"""The Temporal of `./task start-temporal-server`."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack
from hatchet_cli.devstack.ports import LOOPBACK, PortBlock
from hatchet_cli.devstack.probe import http_answers
from hatchet_worker import TemporalSettings, connect


def test_it_lets_in_who_has_the_certificates_that_were_made_for_it(
    stack: DevStack, tmp_path: Path, eventually: Eventually
) -> None:
    """`stack` skips where no Temporal is installed."""
    module = [sys.executable, "-m", "hatchet_cli.secure_temporal"]
    for command in ("generate-certs", "write-env"):
        subprocess.run([*module, command], cwd=tmp_path, check=True, capture_output=True)
    written = (tmp_path / ".env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in written if "TLS" in line)
    said = tmp_path / "said"
    with PortBlock(2) as ports, said.open("wb") as stderr:
        port, ui_port = ports.numbers
        address = f"{LOOPBACK}:{port}"
        serve = [*module, "serve", "--address", address, "--ui-port", str(ui_port)]
        with subprocess.Popen(serve, cwd=tmp_path, stderr=stderr) as server:
            try:
                eventually(lambda: "Ctrl-C ends it" in said.read_text(), 60)
                settings = TemporalSettings.from_environment(
                    {**variables, "TEMPORAL_ADDRESS": address}
                )
                client = asyncio.run(connect(settings))
                has_ui = http_answers(LOOPBACK, ui_port)
                server.send_signal(signal.SIGINT)
                code = server.wait(30)
            finally:
                server.kill()

    assert client.namespace == "default"
    assert has_ui
    assert code == 130
    assert "Traceback" not in said.read_text()
