import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from hatchet_cli.devstack import amqp_answers, temporal_answers
from hatchet_cli.devstack.probe import http_answers

CONNECTION_START = b"\x01\x00\x00\x00\x00\x01\xed\x00\x0a\x00\x0a\x00\x09"
WRONG_VERSION = b"AMQP\x00\x00\x09\x01\x00\x00\x00\x00\x00"
SETTINGS_FRAME = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00"
HTTP_1_ERROR = b"HTTP/1.1 400 Bad Request\r\n\r\n"

Answer = bytes | None
AnswerWith = Callable[[Answer], int]


def patience_s(answer: Answer) -> float:
    """Return how long to wait: an answer may take its time, and silence has no end."""
    return 0.2 if answer is None else 30


@pytest.fixture
def answer_with() -> Iterator[AnswerWith]:
    """Start a server that reads a greeting and sends an answer, or none; return its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answer: bytes | None) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            if answer is None:
                connection.recv(1024)  # silent until the other end gives up
            else:
                connection.sendall(answer)

    def start(answer: bytes | None) -> int:
        threads.append(threading.Thread(target=serve, args=(answer,)))
        threads[-1].start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for thread in threads:
        thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(CONNECTION_START, True, id="connection.start"),
        pytest.param(WRONG_VERSION, False, id="another AMQP version"),
        pytest.param(HTTP_1_ERROR, False, id="a web server"),
        pytest.param(b"", False, id="closes at once"),
        pytest.param(None, False, id="accepts and stays silent"),
    ],
)
def test_an_amqp_server_is_known_by_its_greeting(
    answer_with: AnswerWith, answer: bytes | None, *, expected: bool
) -> None:
    """An open port alone is no AMQP server."""
    port = answer_with(answer)

    assert amqp_answers("127.0.0.1", port, timeout_s=patience_s(answer)) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(SETTINGS_FRAME, True, id="settings frame"),
        pytest.param(HTTP_1_ERROR, False, id="a web server"),
        pytest.param(None, False, id="accepts and stays silent"),
    ],
)
def test_a_grpc_server_is_known_by_its_settings_frame(
    answer_with: AnswerWith, answer: bytes | None, *, expected: bool
) -> None:
    """An open port alone is no Temporal."""
    port = answer_with(answer)

    assert temporal_answers(f"127.0.0.1:{port}", timeout_s=patience_s(answer)) is expected


def test_nothing_answers_where_nothing_listens() -> None:
    """A refused connection is an answer, not an error."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]

        assert not amqp_answers("127.0.0.1", port)
        assert not temporal_answers(f"127.0.0.1:{port}")
        assert not http_answers("127.0.0.1", port)


def test_a_temporal_address_without_port_is_refused() -> None:
    """A wrong address is the caller's mistake, not a server that is down."""
    with pytest.raises(ValueError, match="expected host:port, not 'localhost'"):
        temporal_answers("localhost")
