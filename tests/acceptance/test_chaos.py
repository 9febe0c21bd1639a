"""The chaos suite in a form that takes a minute and a half; `./task chaos` has all of it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hatchet_cli.devstack import DevStack

ROOT = Path(__file__).parents[2]
SCENARIOS = ("temporal-gone", "router-kill", "rabbitmq-kill", "republished")


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_starts_twice(
    tmp_path: Path, stack: DevStack, left_running: Callable[[], list[str]]
) -> None:
    """Routers, RabbitMQ and Temporal are killed under load, and the checker is no rubber stamp.

    Two scenarios are played again with a promise taken away, which they have to notice. `stack`
    knows that there are servers; those that are killed are others.
    """
    only = [argument for name in SCENARIOS for argument in ("--only", name)]
    checks = ["--check", "allow-duplicates", "--check", "acknowledge-first"]
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "--short", "--lanes", "2", *only, *checks],
        cwd=ROOT,
        env={
            # Routers that are killed all the time measure no coverage, and it would slow them down.
            **{name: text for name, text in os.environ.items() if not name.startswith("COV")},
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    rows = {row.split()[0]: row.split()[3:5] for row in done.stdout.splitlines()[1:] if row}
    for name in SCENARIOS:
        assert rows[name] == ["0", "0"], said
    assert int(rows["republished+allow-duplicates"][1]) > 0, said
    assert int(rows["router-kill+acknowledge-first"][0]) > 0, said
    assert not left_running()


def test_the_guarantees_name_scenarios_that_exist() -> None:
    """`docs/guarantees.md` says which scenario proves each line, and leaves none out."""
    listed = subprocess.run(
        [sys.executable, "-m", "chaos", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    scenarios = {line.partition(":")[0] for line in listed.splitlines()}
    page = (ROOT / "docs" / "guarantees.md").read_text()
    table = page.partition("## Promised")[2].partition("## Not promised")[0]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|poison|republished)`", table))
    assert named == scenarios
