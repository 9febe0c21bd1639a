"""The benchmarks' command; what they measure is no matter for tests."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_suites_are_listed_and_explained() -> None:
    """Each suite that `--list` tells is explained in the page beside it."""
    listed = subprocess.run(
        [sys.executable, "-m", "bench", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    suites = [line.partition(":")[0] for line in listed.splitlines()]
    assert suites[:3] == ["router_efficiency", "latency", "jobs"]
    page = (ROOT / "bench" / "README.md").read_text()
    assert [name for name in suites if f"**`{name}`**" not in page] == []


def test_an_unknown_suite_is_a_fault_of_usage() -> None:
    """Nothing is started for it."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "nothing" in done.stderr
