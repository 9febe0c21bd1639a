"""A bare typer program with a few commands that do nothing."""

import typer

app = typer.Typer()


@app.command()
def router(folder: str = ".", *, reload: bool = False) -> None:
    """Consume events."""
    typer.echo(f"{folder} {reload}")


@app.command()
def worker(name: str = "") -> None:
    """Run steps."""
    typer.echo(name)


if __name__ == "__main__":
    app()
