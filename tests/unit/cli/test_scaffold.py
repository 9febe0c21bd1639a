"""A new integration's package, as it is written."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from hatchet_cli.scaffold import problem_of_name, write_package
from hatchet_worker.installed import installed_integrations, used


@pytest.mark.parametrize("name", ["acme", "a", "z-9", "a" * 30, "acme-2-go"])
def test_names_that_can_be(name: str) -> None:
    assert problem_of_name(name) is None


@pytest.mark.parametrize(
    "name", ["", "Acme", "2go", "acme-", "a--b", "a_b", "a/b", "a" * 31, "worker", "none", "sent"]
)
def test_names_that_cannot_be(name: str) -> None:
    assert problem_of_name(name)


def test_the_id_of_an_installed_integration_is_taken() -> None:
    """A worker cannot have two of one id."""
    assert problem_of_name("slack") == "hatchet-workflows has an integration of this name"


def test_nothing_is_left_to_fill_in(tmp_path: Path) -> None:
    written = write_package("acme-pay", tmp_path / "acme-pay")

    texts = {str(file.relative_to(tmp_path)): file.read_text() for file in written}
    assert [name for name, text in texts.items() if "$" in text or "tmpl" in name] == []
    assert "acme-pay/src/hatchet_acme_pay/__init__.py" in texts
    project = tomllib.loads(texts["acme-pay/pyproject.toml"])["project"]
    assert project["entry-points"]["hatchet.integrations"] == {
        "acme-pay": "hatchet_acme_pay:AcmePay"
    }


def test_what_exists_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")

    with pytest.raises(FileExistsError):
        write_package("acme", tmp_path)

    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["z", "a" * 14 + "-" + "b" * 15])
def test_style_is_clean_whatever_the_name(tmp_path: Path, name: str) -> None:
    write_package(name, tmp_path)

    for arguments in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--no-cache"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, done.stdout), done.stdout + done.stderr


def test_once_installed_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its wheel holds what workers look for."""
    folder, site = tmp_path / "acme", tmp_path / "site"
    write_package("acme", folder)
    monkeypatch.chdir(folder)
    wheel = build_wheel(str(tmp_path))
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        archive.extractall(site)
    monkeypatch.syspath_prepend(site)

    [found] = used(["acme"], installed_integrations())

    assert (found.package, found.version) == ("hatchet-acme", "0.1.0")
    assert list(found.make().actions) == ["send-message"]
