"""What the command line loads before it knows what is asked of it."""

import subprocess
import sys

HEAVY = "aio_pika, hatchet_router, hatchet_schemas, hatchet_worker, jinja2, pydantic, temporalio"


def test_help_loads_no_libraries_that_take_long() -> None:
    """It answers at once, and so does the shell's completion."""
    script = (
        "import sys, hatchet_cli.main\n"
        f"print(*sorted(set({HEAVY!r}.split(', ')) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


def test_a_process_without_a_port_for_operators_loads_nothing_for_it() -> None:
    """What is off costs nothing."""
    script = (
        "import sys, hatchet_cli.ops.routers, hatchet_cli.ops.workers\n"
        "print(*{'opentelemetry', 'prometheus_client'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
