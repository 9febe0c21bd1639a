"""Certificates, `.env` and the gate of a Temporal for development."""

from __future__ import annotations

import asyncio
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.certificates import Authority

from hatchet_cli.exiting import ExitCode
from hatchet_cli.secure_temporal.__main__ import main
from hatchet_cli.secure_temporal.certificates import CertificateFiles, write_certificates
from hatchet_cli.secure_temporal.environment import write_environment
from hatchet_cli.secure_temporal.terminator import TlsTerminator, server_context

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    files = CertificateFiles(tmp_path_factory.mktemp("project") / "certs")
    assert write_certificates(files.folder)
    return files


def test_keys_are_for_their_owner_and_the_authority_s_is_nowhere(files: CertificateFiles) -> None:
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files.folder.iterdir()}

    assert {name for name in found if name.endswith(".pem")} == {
        "ca.pem",
        "cluster.pem",
        "worker.pem",
        "admin.pem",
    }
    keys = {name: mode for name, mode in found.items() if name.endswith(".key")}
    assert keys == dict.fromkeys(["cluster.key", "worker.key", "admin.key"], 0o600)
    assert not list(files.folder.parent.glob("certs.*"))


def test_what_is_there_is_never_overwritten(tmp_path: Path, files: CertificateFiles) -> None:
    (tmp_path / "certs").mkdir()
    (tmp_path / ".env").write_text("MINE=1\n")

    assert not write_certificates(tmp_path / "certs")
    assert not write_environment(tmp_path / ".env", files)

    assert not list((tmp_path / "certs").iterdir())
    assert (tmp_path / ".env").read_text() == "MINE=1\n"


def test_a_shell_reads_the_environment_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "it's $HOME; a `folder`"
    folder.mkdir()

    assert write_environment(folder / ".env", CertificateFiles(folder / "certs"))

    script = 'set -a; . ./.env; printf %s "$TEMPORAL_TLS_CLIENT_KEY_PATH"'
    said = subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    assert said.stdout == str(folder / "certs" / "worker.key")
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


@pytest.fixture
async def gate(files: CertificateFiles) -> AsyncIterator[TlsTerminator]:
    """A gate before a server that says each line again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    context = server_context(files.certificate("cluster"), files.key("cluster"), files.ca)
    async with await asyncio.start_server(echo, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with TlsTerminator(context, HOST, 0, HOST, port) as gate:
            yield gate


async def said_through(gate: TlsTerminator, context: ssl.SSLContext) -> tuple[bytes, str | None]:
    """Return what comes back through the gate, and the protocol that was agreed on."""
    reader, writer = await asyncio.open_connection(HOST, gate.port, ssl=context)
    try:
        writer.write(b"hello\n")
        agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        return await reader.readline(), agreed
    finally:
        writer.transport.abort()


def client(files: CertificateFiles) -> ssl.SSLContext:
    """Return what a client trusts, and speaks."""
    context = ssl.create_default_context(cafile=files.ca)
    context.set_alpn_protocols(["h2"])
    return context


async def test_bytes_of_who_has_a_certificate_go_through(
    gate: TlsTerminator, files: CertificateFiles
) -> None:
    context = client(files)
    context.load_cert_chain(files.certificate("worker"), files.key("worker"))

    assert await said_through(gate, context) == (b"hello\n", "h2")


async def test_nothing_of_others_goes_through(
    gate: TlsTerminator, files: CertificateFiles, tmp_path: Path
) -> None:
    """TLS 1.3 lets a client write before it is told that it is not let in."""
    stranger = Authority(tmp_path).issue("stranger")
    with_another = client(files)
    with_another.load_cert_chain(stranger.certificate, stranger.key)

    for context in (client(files), with_another):
        try:
            came_back, _ = await said_through(gate, context)
        except OSError:
            continue
        assert came_back == b""


@pytest.mark.parametrize(
    "arguments",
    [["write-env", "--file", "{}/none/.env"], ["--certs", "{}/file/c", "generate-certs"]],
)
def test_a_folder_that_cannot_be_written_is_told(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with its name."""
    (tmp_path / "file").touch()

    code = main([argument.format(tmp_path) for argument in arguments])

    said = capsys.readouterr().err
    assert code == ExitCode.USAGE
    assert said.startswith("task: ")
    assert said.count("\n") == 1
    assert str(tmp_path) in said
