"""The workers that `hatchet dev` runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.packages import greeter, write_package

from hatchet_cli.commands.dev import worker_arguments
from hatchet_cli.exiting import CommandError


def test_each_app_has_what_is_used_besides() -> None:
    assert worker_arguments(["a:worker", "b:worker"], ["slack"], []) == {
        "a:worker": ("a:worker", "--use", "slack"),
        "b:worker": ("b:worker", "--use", "slack"),
    }


def test_installed_integrations_alone_are_one_worker() -> None:
    assert worker_arguments([], ["slack", "smtp"], ["fast"]) == {
        "slack, smtp": ("--use", "slack", "--use", "smtp", "--queue", "fast")
    }


def test_without_anything_named_it_is_what_others_packages_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write_package(tmp_path, "acme-hatchet", {"acme": "acme:It"}, {"acme": greeter("acme")})

    assert worker_arguments([], [], []) == {"acme": ("--use", "acme")}


def test_several_workers_on_one_queue_are_refused() -> None:
    with pytest.raises(CommandError, match="--queue is for one worker"):
        worker_arguments(["a:worker", "b:worker"], [], ["fast"])
