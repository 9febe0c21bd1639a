import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatchet_cli.devstack import DevStackError, ServerFailedError
from hatchet_cli.devstack.guard import Guard
from hatchet_cli.devstack.processes import ManagedProcess

Shell = Callable[[str], ManagedProcess]
Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture
def guard() -> Iterator[Guard]:
    """Give a guard without a folder."""
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture
def shell(guard: Guard, tmp_path: Path) -> Iterator[Shell]:
    """Run a shell script as a managed process."""
    started: list[ManagedProcess] = []

    def run(script: str) -> ManagedProcess:
        command = ["/bin/sh", "-c", script]
        env = {"PATH": os.environ["PATH"]}
        process = ManagedProcess(
            "the script", command, env=env, log_path=tmp_path / "log", guard=guard
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()


def test_output_goes_to_the_log_and_the_environment_is_only_what_was_given(shell: Shell) -> None:
    """A developer's own settings must not reach a private server."""
    process = shell("echo out; echo err >&2; env; exec sleep 60")

    process.wait_until(lambda: "PWD=" in process.log_tail(), timeout_s=60)

    assert process.log_tail().startswith("out\nerr\n")
    assert "USER=" not in process.log_tail()


def test_a_program_that_ends_early_is_reported_with_the_end_of_its_log(shell: Shell) -> None:
    """The reason stands in its last lines."""
    process = shell("seq 100; echo cannot open the database; exit 7")

    with pytest.raises(ServerFailedError, match="the script ended with code 7") as caught:
        process.wait_until(lambda: False, timeout_s=60)

    assert caught.value.log_tail.endswith("99\n100\ncannot open the database")
    assert "\n50\n" not in caught.value.log_tail
    assert not caught.value.address_in_use


def test_a_program_that_is_not_ready_in_time_is_reported(shell: Shell) -> None:
    """No wait is without end."""
    process = shell("exec sleep 60")

    with pytest.raises(
        ServerFailedError, match=r"not ready within 0\.05 seconds and wrote nothing"
    ):
        process.wait_until(lambda: False, timeout_s=0.05)


@pytest.mark.parametrize("message", ["{error,eaddrinuse}", "bind: address already in use"])
def test_a_taken_port_is_recognised(shell: Shell, message: str) -> None:
    """In the words of Erlang and of Go."""
    process = shell(f"echo '{message}'; exit 1")

    with pytest.raises(ServerFailedError) as caught:
        process.wait_until(lambda: False, timeout_s=60)

    assert caught.value.address_in_use


def test_kill_ends_the_whole_group(shell: Shell, eventually: Eventually) -> None:
    """A server may have children of its own."""
    process = shell("sleep 60 & echo $!; wait")
    process.wait_until(lambda: process.log_tail().isdigit(), timeout_s=60)
    child = int(process.log_tail())

    process.kill()

    assert not process.is_running
    eventually(lambda: not _is_alive(child))


def test_terminate_lets_a_program_finish(shell: Shell) -> None:
    """Kept data are written before the end."""
    process = shell("trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.01; done")
    process.wait_until(lambda: process.log_tail() == "hello", timeout_s=60)

    process.terminate(grace_s=60)

    assert process.log_tail().endswith("bye")


def test_terminate_kills_what_does_not_listen(shell: Shell) -> None:
    """A program that hangs does not hang its owner."""
    process = shell("trap '' TERM; echo hello; while :; do sleep 0.01; done")
    process.wait_until(lambda: process.log_tail() == "hello", timeout_s=60)

    process.terminate(grace_s=0.05)

    assert not process.is_running


def test_a_paused_program_can_be_terminated(shell: Shell) -> None:
    """A fault test may fail while its server is paused."""
    process = shell("trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.01; done")
    process.wait_until(lambda: process.log_tail() == "hello", timeout_s=60)
    process.pause()

    process.terminate(grace_s=60)

    assert process.log_tail().endswith("bye")


def test_signals_to_a_program_that_has_ended_are_harmless(shell: Shell) -> None:
    """The number of its group may belong to another by then."""
    process = shell("exit 0")
    process.kill()

    process.kill()
    process.pause()
    process.resume()
    process.terminate(grace_s=1)

    assert not process.is_running


def test_closing_the_guard_kills_what_it_watches_and_deletes_its_folder(tmp_path: Path) -> None:
    """The normal end takes the same path as the crash."""
    folder = tmp_path / "private"
    folder.mkdir()
    guard = Guard(folder)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        guard.adopt(process.pid)

        guard.close()

        assert process.wait(60) == -9
    assert not folder.exists()


def test_a_closed_guard_lets_nothing_start(shell: Shell, guard: Guard, tmp_path: Path) -> None:
    """A program that nobody watches would be left behind."""
    guard.close()

    with pytest.raises(DevStackError, match="was stopped"):
        shell(f"touch {tmp_path / 'started'}")

    assert not (tmp_path / "started").exists()


def _is_alive(pid: int) -> bool:
    # In a container nobody may reap an orphan, and a zombie is dead enough.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return state != "" and not state.startswith("Z")
