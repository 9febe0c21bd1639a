"""Values of settings, fit to be shown: no secrets, no credentials in addresses."""

from __future__ import annotations

import re
from typing import Final

from hatchet_cli.settings.known import Family, Setting

__all__ = ["shown_value"]

_MASK: Final = "***"
# What people call secrets, for options that nobody has declared.
_SECRET_NAME: Final = re.compile(
    r"(^|_)(AUTH|AUTHORIZATION|COOKIE|CREDENTIALS?|DSN|KEY|PASS|PASSPHRASE|PASSWORD|PASSWD|PIN"
    r"|PRIVATE|SECRETS?|SIGNATURE|TOKENS?|APIKEY)(_|$)"
)
_PATH_NAME: Final = re.compile(r"_(PATH|FILE|DIR|CERT_DATA)$")
_USER_INFO: Final = re.compile(r"(?<=://)[^\s\"'/?#]*@|(?<=://)[^\s\"']*@(?=[^\s\"'@]*$)")
_QUERY: Final = re.compile(r"(?<=\w)(://[^\s\"'?#]*)[?#][^\s\"']*")


def shown_value(name: str, text: str, known: Setting | Family | None = None) -> str:
    """Return what may be shown of the value of the variable ``name``, on one line."""
    if text and ((known is not None and known.secret) or _is_secret(name)):
        return _MASK
    masked = _QUERY.sub(rf"\1?{_MASK}", _USER_INFO.sub(f"{_MASK}@", text))
    return masked if masked.isprintable() else masked.encode("unicode_escape").decode("ascii")


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _PATH_NAME.search(name) is None
