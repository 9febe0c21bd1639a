"""`hatchet config show`, and what processes say about variables that set nothing."""

from __future__ import annotations

import json

from tests.acceptance.conftest import Project

SAID = "HATCHET_PREFTECH (.env:1) sets nothing; did you mean HATCHET_PREFETCH?"


def test_settings_are_shown_also_where_one_cannot_be_used(offline_project: Project) -> None:
    offline_project.write(".env", "HATCHET_PREFTECH=3\nHATCHET_HOLD_SECONDS=9999\n")

    result = offline_project.hatchet("config", "show", "--show-origin")

    assert result.code == 2
    assert SAID in result.stderr
    assert "setting HATCHET_HOLD_SECONDS (.env:2): input should be less" in result.stderr
    shown = [line.split() for line in result.stdout.splitlines()]
    assert [".env:2", "HATCHET_HOLD_SECONDS=9999"] in shown
    assert ["environment", "HATCHET_AMQP_URL=amqp://***@127.0.0.1:1/"] in shown


def test_a_worker_goes_by_the_files_and_warns_of_what_sets_nothing(
    offline_project: Project,
) -> None:
    offline_project.write("hatchet.toml", '[log]\nformat = "json"\nlevel = "warning"\n')
    offline_project.write(".env", "HATCHET_PREFTECH=3\nTEMPORAL_TLS=perhaps\n")
    offline_project.write(
        "integrations.py",
        "from hatchet_worker import Integration, action\n"
        "class Crm(Integration):\n    id = 'my-crm'\n"
        "    @action('add')\n    def add(self, data: dict) -> dict: return {}\n"
        "listed = [Crm()]\n",
    )

    result = offline_project.hatchet("worker", "integrations:listed", HATCHET_MY_CRM_URL="x")

    assert result.code == 2
    warning, error = result.stderr.splitlines()
    assert json.loads(warning)["problem"] == SAID
    assert "TEMPORAL_TLS is 'perhaps'" in error
