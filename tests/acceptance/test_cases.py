"""`hatchet test`, as scripts and people rely on it."""

from __future__ import annotations

from tests.acceptance.conftest import Project, workflow

CASES = """
cases:
  - name: What is said is repeated
    event: {key: "echo:say", data: {text: hello}}
    expect:
      Echo/speak: {steps: {say: {with: {message: hello}}}}
"""


def test_cases_pass_or_fail_and_files_have_problems(offline_project: Project) -> None:
    file = ".hatchet/tests/echo.yaml"
    offline_project.write(
        ".hatchet/e.yaml", workflow("Echo", "echo:say", "q", message="{{ .text }}")
    )
    (offline_project.folder / ".hatchet/tests").mkdir()

    none = offline_project.hatchet("test")
    offline_project.write(file, CASES)
    passed = offline_project.hatchet("test")
    offline_project.write(file, CASES.replace("message: hello", "message: goodbye"))
    failed = offline_project.hatchet("test")
    offline_project.write(file, CASES.replace("expect:", "expct:"))
    wrong = offline_project.hatchet("test")

    assert (none.code, passed.code, failed.code, wrong.code) == (2, 0, 1, 1)
    assert "write some into .hatchet/tests/*.yaml" in none.stderr
    assert (passed.stdout, passed.stderr) == (
        "✓ What is said is repeated\n",
        "1 case, none failed\n",
    )
    assert '-  "message": "goodbye"' in failed.stdout
    assert f"{file}:5:5: a case has no field 'expct': did you mean 'expect'?" in wrong.stderr
