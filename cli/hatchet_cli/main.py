"""The `hatchet` command."""

from __future__ import annotations

import os
import select
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from hatchet_cli.commands import (
    actions,
    check,
    codec_server,
    config,
    dead,
    dev,
    doctor,
    explain,
    graph,
    integrations,
    publish,
    router,
    schedules,
    schema,
    tests,
    webhooks,
    worker,
)
from hatchet_cli.exiting import CommandError, ExitCode, exit_process
from hatchet_cli.reports.printable import printable

__all__ = ["app", "main"]

app = typer.Typer(
    name="hatchet",
    help="Events on RabbitMQ start jobs in Temporal, as YAML files say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("dev")(dev.dev)
app.command("router")(router.router)
app.command("worker")(worker.worker)
app.command("webhooks")(webhooks.webhooks)
app.command("publish")(publish.publish)
app.command("check")(check.check)
app.command("test")(tests.run_tests)
app.command("explain")(explain.explain)
app.command("graph")(graph.graph)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.command("codec-server")(codec_server.codec_server)
app.add_typer(actions.actions, name="actions")
app.add_typer(config.config, name="config")
app.add_typer(integrations.integrations, name="integrations")
app.add_typer(dead.dead, name="dead")
app.add_typer(schedules.schedules, name="schedules")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("hatchet-workflows"))
        raise typer.Exit


@app.callback()
def hatchet(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Events on RabbitMQ start jobs in Temporal, as YAML files say."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _prepare_streams()
    exit_process(_run())


def _prepare_streams() -> None:
    """Let nothing that is printed fail: escape what a stream cannot show, drop what has none."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run() -> int:
    try:
        app()
    except CommandError as error:
        said = "\n".join(map(printable, str(error).split("\n")))
        typer.echo(f"hatchet: {said}", err=True)
        return error.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as end:
        # Typer ends with 1 at any broken pipe.
        if isinstance(end.__context__, BrokenPipeError) and _is_reader_gone():
            return ExitCode.SUCCESS
        return _as_code(end.code)
    except Exception:  # noqa: BLE001 - a fault of ours: the whole story, and a code of failure
        import traceback

        traceback.print_exc()
        return ExitCode.FINDINGS
    return ExitCode.SUCCESS


def _is_reader_gone() -> bool:
    """Tell whether nobody reads what we print any more, as in `hatchet graph | head -1`."""
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    gone = select.POLLERR | select.POLLHUP
    return any(events & gone for _, events in poll.poll(0))


def _as_code(code: object) -> int:
    if code is None:
        return ExitCode.SUCCESS
    if isinstance(code, int):
        return code
    sys.stderr.write(f"{code}\n")
    return ExitCode.FINDINGS
