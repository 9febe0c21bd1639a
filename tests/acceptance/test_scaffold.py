"""`hatchet integrations new`, by the words of its own README."""

from __future__ import annotations

import subprocess
import sys

from tests.acceptance.conftest import ROOT, Project

MYPY_CACHE = ROOT / ".cache" / "mypy-of-scaffold"


def test_a_new_integration_passes_its_tests_and_checks_at_once(offline_project: Project) -> None:
    made = offline_project.hatchet("integrations", "new", "acme")
    again = offline_project.hatchet("integrations", "new", "acme")

    assert made.code == 0, made.stderr
    assert "Next: cd acme && python -m pytest" in made.stderr
    assert (again.code, again.stdout) == (2, "")
    assert "'acme' exists" in again.stderr
    for tool in (["pytest", "-q", "-p", "no:cacheprovider"], ["mypy"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool],
            cwd=offline_project.folder / "acme",
            # Types of libraries are read once, not in each run.
            env={**offline_project.environment, "MYPY_CACHE_DIR": str(MYPY_CACHE)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
