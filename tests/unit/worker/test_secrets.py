"""Where secrets are found, and where not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatchet_worker import DirectorySecrets, EnvironmentSecrets, UnreadableSecret
from hatchet_worker.secrets import default_providers


def test_the_environment_has_them_under_a_prefix() -> None:
    find = EnvironmentSecrets(environment={"HATCHET_SECRET_TOKEN": "t0ken", "HOME": "/root"})

    assert find("TOKEN") == "t0ken"
    assert find("HOME") is None


def test_the_environment_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    find = EnvironmentSecrets()
    assert find("LATE") is None

    monkeypatch.setenv("HATCHET_SECRET_LATE", "now")

    assert find("LATE") == "now"


def test_a_hyphen_becomes_what_a_variable_can_have() -> None:
    assert EnvironmentSecrets("P_", {"P_api_token": "t0ken"})("api-token") == "t0ken"


def test_an_empty_variable_is_none() -> None:
    """Compose files set a variable to nothing where the host has none."""
    assert EnvironmentSecrets(environment={"HATCHET_SECRET_TOKEN": ""})("TOKEN") is None


def test_a_variable_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableSecret, match=r"'TOKEN' .* is not UTF-8"):
        EnvironmentSecrets(environment={"HATCHET_SECRET_TOKEN": os.fsdecode(b"\xff\xfe")})("TOKEN")


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"t0ken", "t0ken"),
        (b"t0ken\n", "t0ken"),
        (b"t0ken\r\n", "t0ken"),
        (b"t0ken\n\n", "t0ken\n"),
        (b"t0ken\r", "t0ken\r"),
        (b"  t0 ken ", "  t0 ken "),
        ("schlüssel".encode(), "schlüssel"),
        (b"", None),
        (b"\n", None),
    ],
)
def test_a_file_is_its_content_but_for_one_newline(
    tmp_path: Path, content: bytes, value: str | None
) -> None:
    (tmp_path / "TOKEN").write_bytes(content)

    assert DirectorySecrets(tmp_path)("TOKEN") == value


def test_kubernetes_links_inside_of_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "..2026_01_01").mkdir()
    (tmp_path / "..2026_01_01" / "TOKEN").write_text("t0ken")
    (tmp_path / "..data").symlink_to("..2026_01_01")
    (tmp_path / "TOKEN").symlink_to("..data/TOKEN")

    assert DirectorySecrets(tmp_path)("TOKEN") == "t0ken"


def test_a_folder_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    """As /var/run/secrets often is."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "TOKEN").write_text("t0ken")
    (tmp_path / "link").symlink_to("real")

    assert DirectorySecrets(tmp_path / "link")("TOKEN") == "t0ken"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("not for workflows")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "TOKEN").symlink_to("../outside")

    with pytest.raises(UnreadableSecret, match="leads out of the folder") as caught:
        DirectorySecrets(tmp_path / "secrets")("TOKEN")
    assert "not for workflows" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/hostname", "..", ".", "", "a/b", "a\0b", "T\n"]
)
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("not for workflows")
    (tmp_path / "secrets").mkdir()

    assert DirectorySecrets(tmp_path / "secrets")(name) is None


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_is_none_has_no_secrets(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")

    assert DirectorySecrets(tmp_path / folder)("TOKEN") is None


def test_what_is_not_as_it_must_be_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "LARGE").write_text("x" * 101)
    (tmp_path / "FITS").write_text("x" * 100)
    (tmp_path / "BINARY").write_bytes(b"\xff\xfehunter2")
    (tmp_path / "FOLDER").mkdir()
    os.mkfifo(tmp_path / "PIPE")
    find = DirectorySecrets(tmp_path, max_bytes=100)

    assert find("FITS") == "x" * 100
    for name, reason in {
        "LARGE": "has more than 100 bytes",
        "BINARY": "is not UTF-8",
        "FOLDER": "cannot be read: Is a directory",
        "PIPE": "is no regular file",
    }.items():
        with pytest.raises(UnreadableSecret, match=reason) as caught:
            find(name)
        assert repr(name) in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_by_default_the_environment_goes_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "BOTH").write_text("from the folder")
    (tmp_path / "FILE").write_text("from the folder")
    monkeypatch.setenv("HATCHET_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("HATCHET_SECRET_BOTH", "from the variable")

    first, second = default_providers()

    assert first("BOTH") == "from the variable"
    assert (second("BOTH"), second("FILE")) == ("from the folder", "from the folder")
    monkeypatch.delenv("HATCHET_SECRETS_DIR")
    assert default_providers()[1].place("TOKEN") == "the file /run/secrets/TOKEN"
