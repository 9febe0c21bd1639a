"""Integrations of installed packages, as their entry points name them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any, Final

from hatchet_worker.errors import IntegrationError, UnknownIntegration, WorkerError
from hatchet_worker.integration import IntegrationLike

__all__ = [
    "GROUP",
    "OWN_PACKAGE",
    "InstalledIntegration",
    "extra_of",
    "installed_integrations",
    "used",
]

GROUP: Final = "hatchet.integrations"
"""The group of entry points; each one's name is the id of the integration that it leads to."""

OWN_PACKAGE: Final = "hatchet-workflows"
"""The package whose integrations have to be named: they are installed wherever Hatchet is."""

# Requires-Dist, as PEP 508 writes it: slack-sdk<4,>=3.35; extra == "slack"
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_SEPARATORS: Final = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class InstalledIntegration:
    """An integration that an installed package offers; nothing of it is imported yet.

    ``entry_point`` leads to a class or function that makes one without arguments, or to an
    integration. ``extra`` is the package's extra of the integration's name, None where it has none
    that asks for anything; ``lacking`` are the packages of it which are not installed.
    """

    id: str
    package: str
    version: str
    entry_point: EntryPoint
    extra: str | None = None
    lacking: tuple[str, ...] = ()

    @property
    def ships_with_hatchet(self) -> bool:
        """Whether it is one of our own, which no worker has unless it is named."""
        return _normalized(self.package) == OWN_PACKAGE

    def load(self) -> Any:
        """Import what the entry point leads to.

        Raises:
            IntegrationError: that fails; the message names the package, and the extra to install.

        """
        try:
            return self.entry_point.load()
        except Exception as error:
            raise self._unusable("cannot be imported", error) from error

    def make(self) -> IntegrationLike:
        """Return the integration, made without arguments where a class or function makes it.

        Raises:
            IntegrationError: it cannot be imported or made, or has another id.
            WorkerError: whatever its constructor says.

        """
        found = self.load()
        if isinstance(found, type) or not hasattr(found, "perform_action"):
            try:
                found = found()
            except WorkerError:
                raise
            except Exception as error:
                raise self._unusable("cannot be made without arguments", error) from error
        own_id = getattr(found, "id", None)
        if own_id != self.id:
            raise IntegrationError(
                f"{self}: its entry point {self.entry_point.value} leads to an integration whose "
                f"id is {own_id!r}: name the entry point as the integration"
            )
        made: IntegrationLike = found
        return made

    def __str__(self) -> str:
        return f"integration {self.id} of the package {self.package} {self.version}"

    def _unusable(self, what: str, error: Exception) -> IntegrationError:
        reason = f"{type(error).__name__}: {error}"
        advice = ""
        if isinstance(error, ModuleNotFoundError) or self.lacking:
            package = f"{self.package}[{self.extra}]" if self.extra else self.package
            advice = f". Install what it needs: pip install '{package}'"
        return IntegrationError(f"{self} {what} ({self.entry_point.value}): {reason}{advice}")


def installed_integrations() -> tuple[InstalledIntegration, ...]:
    """Return the integrations of all packages on ``sys.path``, by their ids.

    Of a package that is there twice, the first counts, as for imports.
    """
    found = (_offered(entry_point) for entry_point in entry_points(group=GROUP))
    return tuple(sorted(found, key=lambda each: (each.id, each.package)))


def used(
    ids: Iterable[str], installed: Sequence[InstalledIntegration]
) -> tuple[InstalledIntegration, ...]:
    """Return those of ``installed`` that ``ids`` name, in this order, each once.

    Raises:
        UnknownIntegration: there is none of that id; the message says what there is.
        IntegrationError: two packages offer it.

    """
    return tuple(_named(integration_id, installed) for integration_id in dict.fromkeys(ids))


def _named(integration_id: str, installed: Sequence[InstalledIntegration]) -> InstalledIntegration:
    found = [each for each in installed if each.id == integration_id]
    if len(found) == 1:
        return found[0]
    if found:
        packages = " and ".join(f"{each.package} {each.version}" for each in found)
        raise IntegrationError(
            f"the integration {integration_id!r} is offered by {packages}: uninstall all but one"
        )
    ids = [each.id for each in installed]
    near = difflib.get_close_matches(integration_id, ids, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise UnknownIntegration(
        f"no installed package has an integration {integration_id!r}: "
        f"{hint}installed are {', '.join(dict.fromkeys(ids)) or 'none at all'}"
    )


def _offered(entry_point: EntryPoint) -> InstalledIntegration:
    package = entry_point.dist
    if package is None:
        raise RuntimeError("entry points of installed packages know their package")
    name = package.metadata["Name"]
    extra, wanted = extra_of(name, entry_point.name)
    return InstalledIntegration(
        entry_point.name,
        name,
        package.version,
        entry_point,
        extra,
        tuple(each for each in wanted if not _is_installed(each)),
    )


def extra_of(package: str, integration_id: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the extra of a package for one of its integrations, and which packages it asks for.

    It is None, and no packages, where it asks for none.
    """
    about = distribution(package)
    for extra in about.metadata.get_all("Provides-Extra") or ():
        if _normalized(extra) == _normalized(integration_id):
            wanted = tuple(_wanted(about.requires or (), extra))
            return (extra if wanted else None), wanted
    return None, ()


def _wanted(requirements: Iterable[str], extra: str) -> Iterator[str]:
    for requirement in requirements:
        of_extra = _EXTRA.search(requirement)
        name = _REQUIREMENT.match(requirement)
        if name and of_extra and _normalized(of_extra[1]) == _normalized(extra):
            yield name[0]


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _normalized(name: str) -> str:
    """Return a package's or an extra's name in the one form that all its spellings share."""
    return _SEPARATORS.sub("-", name).lower()
