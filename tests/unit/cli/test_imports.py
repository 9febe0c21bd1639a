"""What the command line loads, and when."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = str(Path(__file__).parents[3] / "examples" / "echo" / ".hatchet")
HEAVY = frozenset(
    {
        "aio_pika",
        "asyncio",
        "hatchet_router",
        "hatchet_schemas",
        "hatchet_worker",
        "jinja2",
        "pydantic",
        "temporalio",
    }
)
FOR_SERVERS = frozenset(
    {
        "aio_pika",
        "aiohttp",
        "aiormq",
        "opentelemetry",
        "prometheus_client",
        "structlog",
        "temporalio",
    }
)


def modules_after(script: str) -> frozenset[str]:
    """Return the names of all modules that a new interpreter has after ``script``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nsys.stderr.write(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(done.stderr.splitlines()[-1].split())


def modules_after_command(arguments: list[str]) -> frozenset[str]:
    """Return the same after a command."""
    return modules_after(
        "from hatchet_cli.main import app\n"
        f"try: app({arguments!r}, standalone_mode=False)\n"
        "except SystemExit: pass"
    )


def test_help_loads_no_libraries_that_take_long() -> None:
    """It answers at once, and so does the shell's completion."""
    assert HEAVY.isdisjoint(modules_after("import hatchet_cli.main"))


@pytest.mark.parametrize(
    ("arguments", "does_it"),
    [
        (["check", EXAMPLE], "hatchet_schemas.loader"),
        (["explain", "user:create", "--dir", EXAMPLE], "hatchet_router.explaining"),
        (["graph", EXAMPLE], "hatchet_cli.reports.tree"),
        (["schema"], "hatchet_schemas.json_schema"),
    ],
)
def test_a_command_that_asks_no_server_loads_nothing_for_servers(
    arguments: list[str], does_it: str
) -> None:
    """They are what people run all the time, in editors and before each commit."""
    loaded = modules_after_command(arguments)

    assert does_it in loaded
    assert FOR_SERVERS.isdisjoint(loaded)


def test_what_actions_there_are_is_told_without_a_temporal_client() -> None:
    """It takes the integrations, and no worker."""
    loaded = modules_after_command(["actions", "list", "--use", "log"])

    assert "hatchet_worker.integrations.log" in loaded
    assert loaded.isdisjoint({"aio_pika", "temporalio"})


def test_settings_load_neither_servers_nor_templates() -> None:
    """Each command reads them, whatever it is for."""
    loaded = modules_after("import hatchet_cli.settings.groups")

    assert loaded.isdisjoint({*FOR_SERVERS, "jinja2", "yaml"})


def test_a_process_without_a_port_for_operators_loads_nothing_for_it() -> None:
    """What is off costs nothing."""
    loaded = modules_after("import hatchet_cli.ops.routers, hatchet_cli.ops.workers")

    assert loaded.isdisjoint({"opentelemetry", "prometheus_client"})
