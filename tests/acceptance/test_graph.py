"""`hatchet graph` and `hatchet schema`: workflow files for documents and for editors."""

from __future__ import annotations

from tests.acceptance.conftest import ROOT, Project, workflow


def test_a_tree_leads_from_events_to_steps(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", workflow("A", "a:b", "internal", message="hi"))

    result = offline_project.hatchet("graph")

    assert result.code == 0
    assert result.stdout.splitlines() == [
        "a:b",
        "└─ A  .hatchet/a.yaml",
        "   └─ speak  [internal]",
        "      └─ say  echo:say",
    ]


def test_mermaid_is_for_documents(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", workflow("A", "a:b", "internal", message="hi"))
    offline_project.write("b.yaml", workflow("B", "b", "internal", message="hi"))

    result = offline_project.hatchet("graph", ".hatchet", "b.yaml", "--format", "mermaid")

    assert result.code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "flowchart LR"
    assert [line for line in lines if line.strip().startswith(("e1", "e2"))] == [
        '    e1(["a:b"])',
        '    e2(["b"])',
        "    e1 --> w1",
        "    e2 --> w2",
    ]


def test_files_with_errors_are_told_instead_of_drawn(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", "name: A\n")

    result = offline_project.hatchet("graph")

    assert (result.code, result.stdout) == (1, "")
    assert "[missing-field]" in result.stderr


def test_the_schema_that_is_printed_is_the_one_in_the_repository(offline_project: Project) -> None:
    result = offline_project.hatchet("schema")

    assert result.code == 0
    assert result.stdout == (ROOT / "schemas" / "hatchet-workflow.schema.json").read_text()
