"""The `hatchet` command."""

from __future__ import annotations

import sys
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
    exit_process(_run())


def _run() -> int:
    try:
        app()
    except CommandError as error:
        typer.echo(f"hatchet: {error}", err=True)
        return error.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as end:
        return _as_code(end.code)
    except BrokenPipeError:
        return ExitCode.SUCCESS
    except Exception:  # noqa: BLE001 - a fault of ours: the whole story, and a code of failure
        import traceback

        traceback.print_exc()
        return ExitCode.FINDINGS
    return ExitCode.SUCCESS


def _as_code(code: object) -> int:
    if code is None:
        return ExitCode.SUCCESS
    if isinstance(code, int):
        return code
    sys.stderr.write(f"{code}\n")
    return ExitCode.FINDINGS
