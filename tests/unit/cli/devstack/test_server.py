import threading
from pathlib import Path
from typing import ClassVar

import pytest

from hatchet_cli.devstack import (
    DevStackError,
    RabbitmqServer,
    Server,
    ServerFailedError,
    ServerNotInstalledError,
    TemporalServer,
    start_together,
)
from hatchet_cli.devstack.premises import Premises
from hatchet_cli.devstack.processes import ManagedProcess

SLEEP = "echo serving; exec sleep 60"
PORT_TAKEN = "echo address already in use; exit 1"
BROKEN = "echo no such file; exit 1"
NEVER_READY = "exec sleep 60"


class ScriptedServer(Server):
    """A server that runs one shell script after the other."""

    name: ClassVar[str] = "Scripted"
    port_count: ClassVar[int] = 2

    def __init__(self, *scripts: str, data_dir: Path | None = None) -> None:
        super().__init__(data_dir)
        self.scripts = list(scripts)
        self.ports_used: list[tuple[int, ...]] = []

    def _spawn(self, premises: Premises) -> ManagedProcess:
        self.ports_used.append(premises.ports)
        return premises.run(self.name, ["/bin/sh", "-c", self.scripts.pop(0)], self.log_path)

    def _is_ready(self) -> bool:
        return "serving" in self._running_process().log_tail()


def test_a_private_folder_lives_from_start_to_stop() -> None:
    """Nothing is left behind."""
    with ScriptedServer(SLEEP) as server:
        folder = server.log_path.parent
        assert server.is_running
        assert folder.exists()

    assert not folder.exists()
    assert not server.is_running


def test_a_kept_folder_outlives_the_server(tmp_path: Path) -> None:
    """Its user finds data and log there."""
    with ScriptedServer(SLEEP, data_dir=tmp_path / "data") as server:
        log = server.log_path

    assert log.read_text() == "serving\n"


def test_a_server_whose_port_was_taken_moves_to_others() -> None:
    """A program may take a port between our look and the server's start."""
    with ScriptedServer(PORT_TAKEN, PORT_TAKEN, SLEEP) as server:
        assert server.is_running
        assert len(set(server.ports_used)) == 3


def test_a_server_gives_up_when_every_port_is_taken() -> None:
    """A fault that never goes away is reported."""
    server = ScriptedServer(*[PORT_TAKEN] * 5)

    with pytest.raises(ServerFailedError, match="in use"):
        server.start()

    assert server.scripts == []


def test_a_broken_server_is_not_tried_again_and_leaves_nothing() -> None:
    """Another port would not help it."""
    server = ScriptedServer(BROKEN, SLEEP)

    with pytest.raises(ServerFailedError, match="no such file"):
        server.start()

    assert server.scripts == [SLEEP]
    with pytest.raises(DevStackError, match="not started"):
        _ = server.log_path


def test_restart_keeps_ports_and_folder_after_a_kill_too() -> None:
    """Clients reconnect to the address they know."""
    with ScriptedServer(SLEEP, SLEEP, SLEEP) as server:
        folder = server.log_path.parent

        server.restart()
        server.kill()
        server.restart()

        assert server.is_running
        assert server.log_path.parent == folder
        assert len(set(server.ports_used)) == 1


def test_stopping_from_another_thread_ends_a_start_that_waits() -> None:
    """This is how async code cancels a start."""
    server = ScriptedServer(NEVER_READY)
    server.launch()
    timer = threading.Timer(0.05, server.stop)
    timer.start()

    with pytest.raises(DevStackError):
        server.wait_until_ready()

    timer.join()
    assert not server.is_running


def test_nothing_starts_on_premises_that_were_closed(tmp_path: Path) -> None:
    """A start in another thread may be late."""
    premises = Premises("", tmp_path / "data", 1)
    premises.close()

    with pytest.raises(DevStackError, match="stopped while it started"):
        premises.run("late", ["true"], tmp_path / "log")


def test_one_failure_stops_all_that_start_together() -> None:
    """A half started stack is of no use."""
    good, bad = ScriptedServer(SLEEP), ScriptedServer(BROKEN)

    with pytest.raises(ServerFailedError):
        start_together(good, bad)

    assert not good.is_running


def test_a_started_server_cannot_be_started_again() -> None:
    """And the mistake does not disturb it."""
    with ScriptedServer(SLEEP) as server, pytest.raises(DevStackError, match="already started"):
        server.start()


@pytest.mark.parametrize("server", [RabbitmqServer(), TemporalServer()])
def test_a_server_that_is_not_installed_says_how_to_get_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that can be pasted."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    with pytest.raises(ServerNotInstalledError, match=r"is not installed; run `.* install"):
        server.start()


@pytest.mark.parametrize("server", [RabbitmqServer(), TemporalServer()])
def test_a_server_that_is_not_started_has_no_address(server: Server) -> None:
    """And stopping it is no mistake."""
    with pytest.raises(DevStackError, match="not started"):
        _ = server.log_path
    with pytest.raises(DevStackError, match="not started"):
        server.kill()
    server.stop()
