"""What a router spares itself while it starts."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.workflow_files import workflow_file

from hatchet_cli.starting import nothing_collected
from hatchet_router.folder import WorkflowFolder
from hatchet_router.reloading import WorkflowSet


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_made_is_not_gone_through_again() -> None:
    """Neither meanwhile nor later, when garbage is collected as ever."""
    before = gc.get_freeze_count()
    with nothing_collected():
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]

    assert gc.isenabled()
    assert gc.get_freeze_count() - before >= len(kept)


def test_a_start_that_fails_leaves_the_collector_as_it_was() -> None:
    """Its process may go on, as in tests."""
    with pytest.raises(ValueError, match="bad"), nothing_collected():
        raise ValueError("bad")

    assert gc.isenabled()


def test_a_workflow_that_is_replaced_is_freed_without_the_collector(tmp_path: Path) -> None:
    """What was frozen with cycles in it would never be."""
    file = tmp_path / "a.yaml"
    file.write_text(workflow_file("a", "order.*") + "        with: {text: '{{ .user.name }}'}\n")
    files = WorkflowFolder(tmp_path)
    with nothing_collected():
        old = WorkflowSet.of(files.load()[0])
    gone: list[weakref.ref[Any]] = [
        weakref.ref(old.definitions[0].workflow),
        weakref.ref(old.table),
    ]
    file.write_text(workflow_file("b", "order.paid"))
    gc.disable()
    try:
        loaded = files.load_if_changed()
        assert loaded is not None
        new = WorkflowSet.of(loaded[0], old.table)
        del old

        assert [ref() for ref in gone] == [None, None]
        assert [each.name for each in new.table.workflows] == ["b"]
    finally:
        gc.enable()


def test_a_router_starts_without_rich(tmp_path: Path) -> None:
    """Which structlog would load for tracebacks that a router does not write."""
    (tmp_path / "a.yaml").write_text("name: [")
    script = (
        "import sys\n"
        "from hatchet_cli.main import app\n"
        f"try: app(['router', '--dir', {str(tmp_path)!r}], standalone_mode=False)\n"
        "except Exception: pass\n"
        "print(*({'rich', 'structlog', 'hatchet_router.service'} & {*sys.modules}))\n"
        "import structlog.dev, rich\n"
        "print(structlog.dev.rich, rich.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    *_, loaded, later = done.stdout.splitlines()
    assert set(loaded.split()) == {"structlog", "hatchet_router.service"}
    assert later == "None rich"
