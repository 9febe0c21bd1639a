"""What the actions of the steps are like, from workers or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_schemas.catalogue import Catalogue

__all__ = ["catalogue_in", "catalogue_of"]


def catalogue_of(apps: Sequence[str], use: Sequence[str] = ()) -> Catalogue:
    """Return what the workers that ``apps`` name and the integrations that ``use`` names can do.

    Without any, it is what a worker can do for which nothing is named.

    Raises:
        CommandError: there is no such worker, or two of them have one action that differs.

    """
    from hatchet_cli.apps import load_worker, registry_wanted
    from hatchet_schemas import SchemaError
    from hatchet_schemas.catalogue import Catalogue

    registries = [load_worker(app).registry for app in apps]
    if use or not apps:
        registries.append(registry_wanted(use))
    try:
        return Catalogue.merged(registry.catalogue() for registry in registries)
    except SchemaError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def catalogue_in(file: Path) -> Catalogue:
    """Return what `hatchet actions export` wrote.

    Raises:
        CommandError: it cannot be read, or is no catalogue.

    """
    from hatchet_schemas import SchemaError
    from hatchet_schemas.catalogue import Catalogue

    try:
        return Catalogue.from_json(file.read_bytes())
    except OSError as error:
        raise CommandError(
            f"cannot read {str(file)!r}: {error.strerror}", ExitCode.USAGE
        ) from error
    except SchemaError as error:
        raise CommandError(f"{file}: {error}", ExitCode.USAGE) from error
