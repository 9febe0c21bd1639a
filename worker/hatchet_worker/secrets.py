"""Where a worker finds the values of secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from pydantic import TypeAdapter, ValidationError

from hatchet_schemas.names import SecretName
from hatchet_worker.errors import UnreadableSecret
from hatchet_worker.settings import SECRETS_FOLDER, WorkerSettings

__all__ = ["DirectorySecrets", "EnvironmentSecrets", "SecretProvider", "default_providers"]

_MAX_BYTES: Final = 64 * 1024
_TRIES: Final = 3  # Kubernetes may exchange all files between finding one and opening it
_NAME: Final = TypeAdapter[str](SecretName)


class SecretProvider(Protocol):
    """Something that knows secrets by name: an object like those below, or a plain function.

    It is called in a thread, so it may block, once for each secret of each attempt of a step: a
    secret that was changed counts from the next attempt on. It returns None for a name that it does
    not know; the next provider is asked then. What it raises fails the attempt, and the step's
    retry policy decides.
    """

    def __call__(self, name: str, /) -> str | None:
        """Return the value of the secret called ``name``."""


class EnvironmentSecrets:
    """Secrets in environment variables: ``HATCHET_SECRET_<NAME>``, a ``-`` in the name as ``_``.

    The prefix decides what the authors of workflows can name: an empty one would open the whole
    environment to them. A variable that is empty counts as none.
    """

    def __init__(
        self, prefix: str = "HATCHET_SECRET_", environment: Mapping[str, str] | None = None
    ) -> None:
        self._prefix = prefix
        self._environment = os.environ if environment is None else environment

    def __call__(self, name: str, /) -> str | None:
        """Return the value of the secret called ``name``.

        Raises:
            UnreadableSecret: it is not UTF-8.

        """
        value = self._environment.get(self._variable(name)) or None
        if value is not None and not _is_unicode(value):
            raise UnreadableSecret(f"the secret {name!r} in {self.place(name)} is not UTF-8")
        return value

    def place(self, name: str) -> str:
        """Return where the secret called ``name`` would be."""
        return f"the environment variable {self._variable(name)}"

    def _variable(self, name: str) -> str:
        return f"{self._prefix}{name.replace('-', '_')}"


class DirectorySecrets:
    """Secrets in the files of a folder, as of Docker and Kubernetes: a file is named as its secret.

    It is UTF-8 text of at most ``max_bytes``; one newline at its end does not count, and an
    empty file counts as none. Links may lead to files below the folder, as those of Kubernetes do,
    and nowhere else.
    """

    def __init__(self, folder: str | Path = SECRETS_FOLDER, *, max_bytes: int = _MAX_BYTES) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes

    def __call__(self, name: str, /) -> str | None:
        """Return the value of the secret called ``name``.

        Raises:
            UnreadableSecret: it is too large, not UTF-8, no regular file, out of the folder, or
                this process may not read it.

        """
        if not _is_name(name):
            return None
        try:
            octets = self._read(name)
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            raise self._unreadable(name, "is not UTF-8") from None
        except OSError as error:
            raise self._unreadable(name, f"cannot be read: {error.strerror}") from None
        return text.removesuffix("\r\n" if text.endswith("\r\n") else "\n") or None

    def place(self, name: str) -> str:
        """Return where the secret called ``name`` would be."""
        return f"the file {self._folder / name}"

    def _read(self, name: str) -> bytes:
        for _ in range(_TRIES):
            try:
                folder = self._folder.resolve(strict=True)
                file = (folder / name).resolve(strict=True)
                if not file.is_relative_to(folder):
                    raise self._unreadable(name, "is a link that leads out of the folder")
                return self._read_regular(name, file)
            except (FileNotFoundError, NotADirectoryError):
                continue
        return b""

    def _read_regular(self, name: str, file: Path) -> bytes:
        with open(file, "rb", opener=_opened) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise self._unreadable(name, "is no regular file")
            octets = opened.read(self._max_bytes + 1)
        if len(octets) > self._max_bytes:
            raise self._unreadable(name, f"has more than {self._max_bytes:,} bytes")
        return octets

    def _unreadable(self, name: str, reason: str) -> UnreadableSecret:
        return UnreadableSecret(f"the secret {name!r}: {self.place(name)} {reason}")


def default_providers() -> tuple[EnvironmentSecrets, DirectorySecrets]:
    """Return what a worker asks by default: the environment, then the folder.

    The folder is the one that ``HATCHET_SECRETS_DIR`` names, else ``/run/secrets``; it need not
    exist.
    """
    return EnvironmentSecrets(), DirectorySecrets(WorkerSettings().secrets_dir)


def _opened(path: str, flags: int) -> int:
    # Not to block on a pipe, nor to follow what became a link since it was looked at.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _is_name(text: str) -> bool:
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
