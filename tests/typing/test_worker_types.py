"""What type checkers see of the worker's public API."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_type

import pytest
from pydantic import BaseModel

from hatchet_worker import (
    Context,
    DirectorySecrets,
    EnvironmentSecrets,
    Integration,
    IntegrationLike,
    SecretProvider,
    Worker,
    action,
    current_context,
)

REPOSITORY = Path(__file__).parents[2]


class CreateParams(BaseModel):
    """What `Sandbox.create` takes."""

    owner: str


class CreateResult(BaseModel):
    """What `Sandbox.create` returns."""

    url: str


class Sandbox(Integration):
    """Methods of every kind that @action accepts."""

    id = "sandbox"

    @action("create")
    def create(self, params: CreateParams) -> CreateResult:
        """Take and return models."""
        return CreateResult(url=params.owner)

    @action("create-async")
    async def create_async(self, params: CreateParams) -> CreateResult:
        """Do so later."""
        return CreateResult(url=params.owner)

    @action("remove")
    def remove(self, data: dict[str, Any]) -> None:
        """Take a dict and return nothing."""

    @action("list")
    async def list_all(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """Return a dict of a narrower type."""
        return {"all": list(data)}

    @action("charge", semantics="at-most-once")
    async def charge(self, params: CreateParams, context: Context) -> CreateResult:
        """Take the context of the step, too."""
        return CreateResult(url=context.idempotency_key)

    @action("draft", semantics="idempotent")
    def draft(self, data: dict[str, Any], context: Context | None = None) -> None:
        """Take it where there is one."""


class Vault:
    """A provider of secrets by its shape alone."""

    def __call__(self, name: str, /) -> str | None:
        """Know nothing."""
        return None


def find_secret(name: str) -> str:
    """Be one as a function, which knows all."""
    return name


class Plain:
    """An integration by its shape alone."""

    id = "plain"
    actions = ("do",)

    async def perform_action(self, verb: str, data: dict[str, Any], /) -> dict[str, Any]:
        """Do it."""
        return data


async def test_the_mark_keeps_the_type_of_its_method() -> None:
    """A checked call of the method is a checked call; mypy and pyright look at these lines."""
    sandbox = Sandbox()

    assert_type(sandbox.create(CreateParams(owner="ada")), CreateResult)
    assert_type(await sandbox.create_async(CreateParams(owner="ada")), CreateResult)
    assert_type(await sandbox.list_all({}), dict[str, list[str]])
    assert_type(await sandbox.charge(CreateParams(owner="ada"), Context()), CreateResult)


def test_providers_of_all_kinds_are_what_a_worker_takes() -> None:
    """Ours, objects, functions, and a dict's own method."""
    mine: dict[str, str] = {}
    providers: list[SecretProvider] = [
        EnvironmentSecrets(),
        DirectorySecrets("/run/secrets"),
        Vault(),
        find_secret,
        mine.get,
    ]

    assert_type(Worker([Sandbox()], secrets=providers), Worker)
    assert_type(current_context, Callable[[], Context])


def test_integrations_of_both_kinds_are_what_a_worker_takes() -> None:
    """By inheritance, and by shape."""
    integrations: list[IntegrationLike] = [Sandbox(), Plain()]

    assert_type(Worker(integrations, ["default"]), Worker)


WRONG = {
    "returns a text": """
        @action("a")
        def method(self, data: dict[str, Any]) -> str:
            return ""
    """,
    "returns a list, later": """
        @action("a")
        async def method(self, data: dict[str, Any]) -> list[str]:
            return []
    """,
    "takes nothing": """
        @action("a")
        def method(self) -> None: ...
    """,
    "takes something else than a context": """
        @action("a")
        def method(self, data: dict[str, Any], context: str) -> None: ...
    """,
    "promises what there is not": """
        @action("a", semantics="exactly-once")
        def method(self, data: dict[str, Any]) -> None: ...
    """,
    "asks the context for what it has not": """
        @action("a")
        def method(self, data: dict[str, Any], context: Context) -> None:
            context.password
    """,
    "gives a provider that knows bytes": """
        worker = Worker([], secrets=[{"TOKEN": b"hunter2"}.get])
    """,
    "is called with the wrong type": """
        @action("a")
        def method(self, data: dict[str, int]) -> None:
            self.method("text")
    """,
}


HEADER = """
from typing import Any
from hatchet_worker import Context, Integration, Worker, action
"""
CHECKERS = {
    "mypy": ["mypy", "--strict", "--cache-dir", ".cache/mypy-typing"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_cannot_work_is_found_by_type_checkers(checker: str, tmp_path: Path) -> None:
    """Before the program runs: each of the wrong classes, and nothing in this file."""
    classes = [
        f"class Wrong{number}(Integration):{textwrap.indent(textwrap.dedent(body), '    ')}"
        for number, body in enumerate(WRONG.values())
    ]
    source = HEADER + "\n".join(classes)
    (tmp_path / "wrong.py").write_text(source)

    found = subprocess.run(
        [sys.executable, "-m", *CHECKERS[checker], __file__, str(tmp_path / "wrong.py")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    errors = re.findall(r"(\w+)\.py:(\d+)\S* (?:- )?error:", found.stdout)
    lines = source.splitlines()
    classes_found = {
        next(text for text in reversed(lines[: int(line)]) if text.startswith("class"))
        for file, line in errors
        if file == "wrong"
    }
    assert len(classes_found) == len(WRONG), found.stdout
    assert {file for file, _ in errors} == {"wrong"}, found.stdout
