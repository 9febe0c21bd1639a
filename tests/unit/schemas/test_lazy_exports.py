"""Packages that load what they export by its first use."""

import subprocess
import sys
from types import ModuleType

import pytest

import hatchet_router
import hatchet_schemas
import hatchet_worker

PACKAGES = pytest.mark.parametrize("package", [hatchet_router, hatchet_schemas, hatchet_worker])


@PACKAGES
def test_all_that_a_package_says_it_exports_is_there(package: ModuleType) -> None:
    """Type checkers read one list, and the interpreter another."""
    exported: list[str] = package.__all__

    assert [name for name in exported if not hasattr(package, name)] == []
    assert set(exported) <= set(dir(package))


@PACKAGES
def test_what_is_exported_is_loaded_once(package: ModuleType) -> None:
    """After its first use it is an attribute like any other."""
    exported: list[str] = package.__all__
    first = [getattr(package, name) for name in exported]

    assert [vars(package)[name] for name in exported] == first


@PACKAGES
def test_what_a_package_does_not_export_is_no_attribute(package: ModuleType) -> None:
    """The error is that of any module."""
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute"):
        package.nothing_of_the_kind  # noqa: B018


def test_a_package_lists_what_nobody_has_used_yet() -> None:
    """So that a shell completes it; and listing loads nothing."""
    script = (
        "import sys, hatchet_router\n"
        "print('Dispatcher' in dir(hatchet_router), 'hatchet_router.dispatcher' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False"]
