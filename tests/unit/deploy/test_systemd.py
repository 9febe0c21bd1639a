"""The units for systemd: as its own checker reads them where it is, and line by line anywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.deploy.graces import grace_of

_HARDENING = {
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "yes",
    "ProtectSystem": "strict",
    "RestrictNamespaces": "yes",
    "SystemCallArchitectures": "native",
}
# From the manual pages of systemd: exec, service and unit.
_KNOWN = set(
    """AmbientCapabilities CapabilityBoundingSet Description Documentation DynamicUser Environment
    EnvironmentFile ExecReload ExecStart LoadCredential LockPersonality MemoryDenyWriteExecute
    MemoryMax NoNewPrivileges PrivateDevices PrivateTmp PrivateUsers ProtectClock
    ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules
    ProtectKernelTunables ProtectProc ProtectSystem RemoveIPC Restart RestartSec
    RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID
    SystemCallArchitectures SystemCallErrorNumber SystemCallFilter TimeoutStopSec Type UMask Wants
    WantedBy After WorkingDirectory""".split()
)


@pytest.fixture(params=["router", "worker", "webhooks"])
def unit(root: Path, request: pytest.FixtureRequest) -> Path:
    path: Path = root / "deploy" / "systemd" / f"hatchet-{request.param}.service"
    return path


def test_each_line_sets_what_systemd_knows_and_the_unit_is_hardened(unit: Path) -> None:
    lines = [line for line in unit.read_text().splitlines() if line and line[0] not in "#;"]
    sections = [line for line in lines if line.startswith("[")]
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("["))

    assert sections == ["[Unit]", "[Service]", "[Install]"]
    assert settings.keys() - _KNOWN == set()
    assert settings.items() >= _HARDENING.items()


def test_prometheus_sees_what_the_process_uses(unit: Path) -> None:
    """Its client tells nothing of the process where it cannot read /proc/stat."""
    assert "ProcSubset=pid" not in unit.read_text()


def test_systemd_waits_until_what_is_in_hand_is_finished(unit: Path) -> None:
    [seconds] = re.findall(r"^TimeoutStopSec=([0-9]+)$", unit.read_text(), re.MULTILINE)

    assert int(seconds) >= grace_of(unit.stem) + 10


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(
        re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    )

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
