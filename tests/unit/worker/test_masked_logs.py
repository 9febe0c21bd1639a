"""Records of logs, in whatever way a program writes them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from hatchet_worker import SecretFilter, SecretFormatter
from hatchet_worker.masked_logs import masked_logger
from hatchet_worker.masking import Masker

SECRET = "hunter2"


@pytest.fixture
def masker() -> Masker:
    """A masker that knows the secret."""
    masker = Masker()
    masker.remember("PASSWORD", SECRET)
    return masker


@pytest.fixture
def written() -> io.StringIO:
    """What the handler of `logger` has written."""
    return io.StringIO()


@pytest.fixture
def logger(masker: Masker, written: io.StringIO) -> Iterator[logging.Logger]:
    """A logger of a program that embeds a worker, whose handler has the filter."""
    handler = logging.StreamHandler(written)
    handler.addFilter(SecretFilter(masker))
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(message)s %(token)s", defaults={"token": ""})
    )
    logger = logging.getLogger("program")
    logger.addHandler(handler)
    yield logger.getChild("part")
    logger.removeHandler(handler)


def fail() -> None:
    """Raise an error that leads to the secret by each way there is."""
    try:
        try:
            dict[str, str]()[SECRET]
        except KeyError as error:
            raise OSError(f"as {SECRET}") from error
    except OSError:
        raise ValueError(f"not {SECRET}")  # noqa: B904 - the context is what is tested


def test_messages_arguments_and_extra_fields_are_masked(
    logger: logging.Logger, written: io.StringIO
) -> None:
    logger.warning("%s at %d", f"my {SECRET}", 5, extra={"token": SECRET})
    logger.warning({"event": SECRET})
    logger.warning(ValueError(SECRET))

    assert written.getvalue().splitlines() == [
        "WARNING my *** at 5 ***",
        "WARNING {'event': '***'} ",
        "WARNING *** ",
    ]


def test_tracebacks_are_masked_down_to_the_last_cause(
    logger: logging.Logger, written: io.StringIO
) -> None:
    try:
        fail()
    except ValueError:
        logger.exception("failed", stack_info=True)

    text = written.getvalue()
    assert SECRET not in text
    assert "ValueError: not ***" in text
    assert "OSError: as ***" in text
    assert "KeyError: '***'" in text
    assert "in fail\n" in text


def test_the_parts_of_a_group_are_masked_and_a_handler_still_has_the_exception(
    logger: logging.Logger, written: io.StringIO
) -> None:
    """Handlers such as those of error trackers take the exception, not its text."""
    error = ExceptionGroup(f"all {SECRET}", [ValueError(f"a {SECRET}"), OSError("b")])
    error.add_note(f"while {SECRET}")

    logger.warning("failed", exc_info=error)

    text = written.getvalue()
    assert SECRET not in text
    for part in ("ExceptionGroup: all *** (2 sub-exceptions)", "while ***", "ValueError: a ***"):
        assert part in text


def test_exceptions_of_structlog_s_records_are_masked_before_they_are_rendered(
    logger: logging.Logger, masker: Masker
) -> None:
    """By whatever stands behind the filter."""
    with pytest.raises(ValueError, match=SECRET) as caught:
        fail()
    error = caught.value

    given: list[Any] = [error, (type(error), error, error.__traceback__)]
    for exc_info in given:
        record = logging.makeLogRecord({"msg": {"event": "failed", "exc_info": exc_info}})
        SecretFilter(masker).filter(record)
        fields: Any = record.msg
        found = fields["exc_info"]
        assert (type(found).__name__, str(found)) == ("ValueError", "not ***")
        assert found.__traceback__ is error.__traceback__
    assert str(error) == f"not {SECRET}"


def test_a_record_that_logging_cannot_render_is_not_printed_with_its_arguments(
    logger: logging.Logger, written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.warning("%d", SECRET)

    assert written.getvalue() == "WARNING %d (with arguments that do not fit) \n"
    assert capsys.readouterr().err == ""


def test_what_holds_no_secret_stays_as_it_was(logger: logging.Logger, written: io.StringIO) -> None:
    kept: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    logger.addHandler(Keep())
    try:
        int("harmless")
    except ValueError as error:
        raised = error
        logger.exception("failed with %s", "this")

    assert kept[0].exc_info
    assert kept[0].exc_info[1] is raised
    assert "literal for int() with base 10: 'harmless'" in written.getvalue()


def test_without_secrets_a_record_is_not_even_rendered() -> None:
    class Costly:
        def __str__(self) -> str:
            raise AssertionError

    record = logging.makeLogRecord({"msg": "%s", "args": (Costly(),)})

    assert SecretFilter(Masker()).filter(record)
    assert record.args


@pytest.fixture
def _reset_structlog() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_our_logger_masks_what_it_is_given_and_what_was_bound(masker: Masker) -> None:
    with capture_logs() as logs:
        log = masked_logger("hatchet.action", masker).bind(token=SECRET, step="charge")
        event = f"with {SECRET}"
        log.info(event, headers={"Authorization": f"Bearer {SECRET}"}, count=5)

    assert logs == [
        {
            "event": "with ***",
            "headers": {"Authorization": "Bearer ***"},
            "token": "***",
            "count": 5,
            "step": "charge",
            "log_level": "info",
        }
    ]


@pytest.mark.usefixtures("_reset_structlog")
@pytest.mark.parametrize(
    "wrapper", [structlog.make_filtering_bound_logger(10), structlog.stdlib.BoundLogger]
)
def test_our_logger_masks_the_lines_that_a_program_s_own_processors_make(
    masker: Masker, capsys: pytest.CaptureFixture[str], wrapper: Any
) -> None:
    """Also tracebacks, which are rendered behind what it is given, and what has only a repr."""

    class Client:
        def __repr__(self) -> str:
            return f"Client({SECRET})"

    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=wrapper,
    )
    try:
        fail()
    except ValueError:
        masked_logger("hatchet.action", masker).exception("failed", client=Client())

    line = json.loads(capsys.readouterr().out)
    assert SECRET not in str(line)
    assert line["client"] == "Client(***)"
    assert "ValueError: not ***" in line["exception"]


def test_our_logger_is_as_quick_to_be_dropped_as_any_other(masker: Masker) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with capture_logs() as logs:
            masked_logger("hatchet.action", masker).info("not wanted")
    finally:
        structlog.reset_defaults()

    assert logs == []


class Unprintable:
    """Something that cannot be rendered."""

    def __str__(self) -> str:
        """Fail in a way that logging does not expect."""
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("message", "argument"), [("%(a)s", {"b": 1}), ("%s", Unprintable())], ids=["name", "object"]
)
def test_who_logs_what_cannot_be_rendered_gets_no_exception(
    logger: logging.Logger, written: io.StringIO, message: str, argument: object
) -> None:
    logger.warning(message, argument)

    assert "(with arguments that do not fit)" in written.getvalue()


class Client:
    """An object whose text holds the secret, as those of some libraries do."""

    def __repr__(self) -> str:
        """Return what was never meant to be seen."""
        return f"Client(password={SECRET!r})"


def test_what_becomes_a_text_only_in_the_formatter_is_masked_there(
    logger: logging.Logger, masker: Masker, written: io.StringIO
) -> None:
    """By the formatter around it, which the filter cannot stand in for."""
    [handler] = logging.getLogger("program").handlers
    renderer = structlog.processors.JSONRenderer(default=repr)
    handler.setFormatter(
        SecretFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer), masker)
    )

    logger.warning({"event": "called", "client": Client(), "body": SECRET.encode()})

    assert SECRET not in written.getvalue()
    assert "Client(password='***')" in written.getvalue()
