from pathlib import Path

import pytest

from hatchet_cli.devstack import DevStackError, folder
from hatchet_cli.devstack.folder import DataFolder


def test_without_a_data_dir_the_folder_is_new_and_private() -> None:
    """It holds the cookie that gives access to the node."""
    home = DataFolder("hatchet-test-", None)
    try:
        assert home.is_private
        assert home.path.name.startswith("hatchet-test-")
        assert home.path.stat().st_mode & 0o777 == 0o700
    finally:
        home.path.rmdir()


def test_a_kept_folder_belongs_to_one_server_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes on the same data would destroy them."""
    monkeypatch.setattr(folder, "_LOCK_TIMEOUT_S", 0.0)
    data_dir = tmp_path / "kept" / "rabbitmq"
    first = DataFolder("", data_dir)

    with pytest.raises(DevStackError, match="another running server uses"):
        DataFolder("", data_dir)

    first.close()
    first.close()
    DataFolder("", data_dir).close()
    assert data_dir.exists()
