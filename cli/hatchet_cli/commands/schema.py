"""`hatchet schema`: the workflow file's grammar for editors."""

from __future__ import annotations

import typer

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema of workflow files, by which editors complete and explain them."""
    from hatchet_schemas.json_schema import workflow_json_schema_text

    typer.echo(workflow_json_schema_text(), nl=False)
