"""Installed integrations as a person reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.packages import write_package

from hatchet_cli.reports.integrations import found, reference_lines
from hatchet_worker.installed import installed_integrations, used

MODULE = '''
from pydantic import BaseModel, Field
from hatchet_worker import Integration, action

class Name(BaseModel):
    name: str = Field(description="Whom to greet.")
    loud: bool = False

class Said(BaseModel):
    text: str

class Greeter(Integration):
    """Greets."""

    id = "acme_shown"
    secrets = ("ACME_TOKEN",)

    @action("greet", semantics="idempotent")
    def greet(self, name: Name) -> Said:
        """Say hello."""
        return Said(text="")
'''


def test_the_reference_tells_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write_package(
        tmp_path,
        "acme-hatchet",
        {"acme_shown": "acme_shown:Greeter"},
        {"acme_shown": MODULE},
        extras=["acme-shown"],
        requires=["no-such-sdk; extra == 'acme-shown'"],
    )
    [installed] = used(["acme_shown"], installed_integrations())

    assert list(reference_lines(found(installed))) == [
        "acme_shown  acme-hatchet 1.0",
        "  Greets.",
        "  secrets: ACME_TOKEN",
        "  extra: acme-shown, not installed: pip install 'acme-hatchet[acme-shown]'",
        "",
        "acme_shown:greet  [idempotent]",
        "  Say hello.",
        "  with",
        "    name  string, required  Whom to greet.",
        "    loud  boolean, default false",
        "  outputs",
        "    text  string",
    ]
