"""What a process of ours writes to stderr."""

from __future__ import annotations

import io
import json
import logging
import sys
import uuid
import warnings
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.logs import configure_logs
from hatchet_worker.masking import SECRETS_IN_USE

FORMATS: list[Literal["json", "pretty"]] = ["json", "pretty"]


@pytest.fixture
def secret() -> str:
    """A value that no other test has, of two lines, with what has to be escaped."""
    return f"s3cr3t-{uuid.uuid4().hex}\"\\'\x1b[31m\n{uuid.uuid4().hex}-ä"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def leaks(text: str, secret: str) -> list[str]:
    """Return the lines of ``text`` that hold what is random in the secret."""
    parts = [secret[7:39], secret.split("\n")[1][:32]]
    return [line for line in text.splitlines() if any(part in line for part in parts)]


def fail(secret: str) -> None:
    """Raise an error with the secret in it, and in its frames."""
    local = {"token": secret}
    try:
        dict[str, str]()[local["token"]]
    except KeyError as error:
        raise ValueError(f"bad {secret!r}") from error


@pytest.mark.parametrize("log_format", FORMATS)
def test_no_record_of_any_logger_holds_a_secret(
    capsys: pytest.CaptureFixture[str], secret: str, log_format: Literal["json", "pretty"]
) -> None:
    """Messages, arguments, fields, tracebacks; ours, libraries', and what cannot be rendered."""
    SECRETS_IN_USE.remember("TOKEN", secret)
    configure_logs(log_format)
    ours, theirs = structlog.get_logger("hatchet.worker"), logging.getLogger("some.library")

    class Client:
        def __repr__(self) -> str:
            return f"Client({secret!r})"

    ours.warning("ours", client=Client(), clients=[Client()])
    ours.warning("ours", token=secret, deep={"in": [secret]}, json=json.dumps(secret))
    theirs.warning("their %s", secret)
    theirs.warning("%d", secret)
    theirs.warning({"token": secret})
    theirs.warning(ValueError(secret))
    try:
        fail(secret)
    except ValueError as error:
        ours.exception("ours.failed", error=error)
        theirs.exception("failed", extra={"token": secret})

    written = capsys.readouterr().err
    assert leaks(written, secret) == []
    assert written.count("***") >= 11
    assert "ours.failed" in written
    assert "ValueError: bad" in written


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_traceback_shows_no_local_variables(
    capsys: pytest.CaptureFixture[str], log_format: Literal["json", "pretty"]
) -> None:
    """They may hold what is not known to be a secret yet, and fold it into several lines."""
    configure_logs(log_format)
    unknown = f"unknown-{uuid.uuid4().hex}"

    def use(token: str) -> None:
        raise ValueError("no" if token else "")

    try:
        use(unknown)
    except ValueError:
        structlog.get_logger("hatchet.worker").exception("failed")

    written = capsys.readouterr().err
    assert "ValueError: no" in written
    assert unknown not in written


@pytest.mark.parametrize(
    ("name", "value", "colored"),
    [("TERM", "xterm", True), ("NO_COLOR", "1", False), ("TERM", "dumb", False)],
)
def test_a_terminal_has_colours_unless_it_cannot_or_its_user_does_not_want_them(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    colored: bool,  # noqa: FBT001 - the case
) -> None:
    """By NO_COLOR (no-color.org), and by TERM, as other programs do."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logs("pretty")

    structlog.get_logger("hatchet.worker").warning("ours")

    assert ("\x1b[" in capsys.readouterr().err) is colored


def test_json_stays_json(capsys: pytest.CaptureFixture[str], secret: str) -> None:
    """A mask is put into texts, never across what surrounds them."""
    SECRETS_IN_USE.remember("TOKEN", secret)
    configure_logs("json")

    structlog.get_logger("hatchet.worker").warning("ours", before=1, token=secret, after=[secret])

    entry = json.loads(capsys.readouterr().err)
    assert (entry["before"], entry["token"], entry["after"]) == (1, "***", ["***"])


def test_what_temporal_s_core_repeats_is_told_once_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It logs each attempt of each call while its server is away; errors are always told."""
    now = 0.0
    monkeypatch.setattr("hatchet_cli.logs.time.monotonic", lambda: now)
    configure_logs("json")
    core = logging.getLogger("temporalio.core-sdk_core::temporalio_client::retry")

    for attempt in range(600):
        for call in ("poll_workflow_task_queue", "start_workflow_execution"):
            core.warning("[sdk_core] gRPC call %s retried %d times", call, attempt)
        now += 0.2
    for _ in range(2):
        core.error("it failed")
        logging.getLogger("some.library").warning("careful")

    lines = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "[sdk_core] gRPC call poll_workflow_task_queue retried 0 times",
        "[sdk_core] gRPC call start_workflow_execution retried 0 times",
        "[sdk_core] gRPC call poll_workflow_task_queue retried 300 times",
        "[sdk_core] gRPC call start_workflow_execution retried 300 times",
        *["it failed", "careful"] * 2,
    ]


@pytest.mark.parametrize("log_format", FORMATS)
def test_nothing_in_a_record_controls_a_terminal(
    capsys: pytest.CaptureFixture[str], log_format: Literal["json", "pretty"]
) -> None:
    """Event keys, ids and the words of exceptions are anybody's."""
    hostile = "red \x1b[31m, right to left \u202e, a bell \x07, a line\rfeed \x85"
    configure_logs(log_format)
    ours = structlog.get_logger("hatchet.router")

    ours.warning("ours", event_key=hostile, deep=[{"in": hostile}])
    logging.getLogger("some.library").warning("their %s", hostile)
    ours.error("failed", event_key=hostile, exc_info=ValueError(hostile))

    written = capsys.readouterr().err
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.count("right to left") >= 5


@pytest.mark.parametrize("logger", ["hatchet.router", "some.library"])
def test_each_record_has_the_ids_of_what_is_being_done(
    capsys: pytest.CaptureFixture[str], logger: str
) -> None:
    """Also those of libraries, which know nothing of events."""
    configure_logs("json")

    with bound_contextvars(event_id="e-1", event_key="user:create"):
        logging.getLogger(logger).warning("slow")
        structlog.get_logger(logger).warning("slow", event_id="its own")

    theirs, ours = map(json.loads, capsys.readouterr().err.splitlines())
    assert (theirs["event_id"], theirs["event_key"]) == ("e-1", "user:create")
    assert (ours["event_id"], ours["event_key"]) == ("its own", "user:create")
    assert theirs["logger"] == ours["logger"] == logger
    assert theirs["level"] == "warning"
    assert theirs["timestamp"].endswith("Z")


def test_a_warning_of_python_is_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that is no JSON would stop whoever reads the log."""
    configure_logs("json")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("it is old", DeprecationWarning, stacklevel=1)

    record = json.loads(capsys.readouterr().err)
    assert (record["logger"], record["level"]) == ("py.warnings", "warning")
    assert "it is old" in record["event"]


def test_plain_records_look_like_all_others(
    capsys: pytest.CaptureFixture[str], secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written on a shorter way while there is no secret to mask."""
    monkeypatch.setattr(SECRETS_IN_USE, "_forms", ())
    configure_logs("json")
    ours = structlog.get_logger("hatchet.router")

    def tell() -> None:
        ours.info("event.routed", event_key="user:ä", jobs=[{"job": "greet"}], odd={1, 2} - {2})
        ours.debug("not.told")
        structlog.get_logger("some.library").info("not.told")

    tell()
    SECRETS_IN_USE.remember("TOKEN", secret)
    tell()

    plain, other = map(json.loads, capsys.readouterr().err.splitlines())
    assert list(plain) == list(other)
    assert {**plain, "timestamp": ""} == {**other, "timestamp": ""}
    assert plain["odd"] == "{1}"


def test_a_stream_that_cannot_be_written_to_stops_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a pipe whose reader has gone; Python's logging tells what it can of it."""
    monkeypatch.setattr(SECRETS_IN_USE, "_forms", ())
    configure_logs("json")
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(io.TextIOWrapper(io.BufferedReader(io.BytesIO())))

    structlog.get_logger("hatchet.router").info("event.routed")

    assert "UnsupportedOperation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "text"), [("HATCHET_LOG_LEVEL", "chatty"), ("HATCHET_LOG_FORMAT", "xml")]
)
def test_what_there_is_not_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)

    with pytest.raises(CommandError, match=f"setting {variable}: input should be") as caught:
        configure_logs()

    assert caught.value.code is ExitCode.USAGE
