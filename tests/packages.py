"""Installed packages for tests: modules and the metadata that an installer would have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

GREETER = '''
from hatchet_worker import Integration, action


class {name}(Integration):
    id = "{id}"

    @action("greet")
    def greet(self, data: dict) -> dict:
        """Say hello."""
        return {{"text": f"hello {{data['name']}}"}}
'''


def greeter(integration_id: str) -> str:
    """Return a module with an integration of that id, a class called ``Greeter``."""
    return GREETER.format(name="Greeter", id=integration_id)


def write_package(
    site: Path,
    name: str,
    integrations: Mapping[str, str],
    modules: Mapping[str, str],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> None:
    """Install a package into ``site``, a folder of ``sys.path``; its integrations go by their ids.

    ``integrations`` are what their entry points lead to, ``modules`` the source by name.
    """
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Provides-Extra: {extra}" for extra in extras),
        *(f"Requires-Dist: {requirement}" for requirement in requires),
    ]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    entries = [f"{integration_id} = {target}" for integration_id, target in integrations.items()]
    (folder / "entry_points.txt").write_text("\n".join(["[hatchet.integrations]", *entries, ""]))
    for module, source in modules.items():
        (site / f"{module}.py").write_text(source)
