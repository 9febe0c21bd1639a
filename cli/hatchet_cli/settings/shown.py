"""Values of settings, fit to be shown: no secrets, no credentials in addresses."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from hatchet_cli.settings.known import Family, Setting

__all__ = ["shown_value"]

_MASK: Final = "***"
# What people call secrets, for options that nobody has declared.
_SECRET_NAME: Final = re.compile(
    r"(^|_)(AUTH|AUTHORIZATION|COOKIE|CREDENTIALS?|DSN|KEY|PASS|PASSPHRASE|PASSWORD|PASSWD|PIN"
    r"|PRIVATE|SECRETS?|SIGNATURE|TOKENS?|APIKEY)(_|$)"
)
_PATH_NAME: Final = re.compile(r"_(PATH|FILE|DIR|CERT_DATA)$")
_USER_INFO: Final = re.compile(r"(?<=://)(?:[^/?#]*|.*)@", re.DOTALL)
_QUERY: Final = re.compile(r"(?<=\w)(://[^?#]*)[?#].*", re.DOTALL)


def shown_value(name: str, text: str, known: Setting | Family | None = None) -> str:
    """Return what may be shown of the value of the variable ``name``, on one line."""
    # Of settings that are declared one by one, it is known what they hold.
    guessed = not isinstance(known, Setting) and _is_secret(name)
    if text and (guessed or (known is not None and known.secret)):
        return _MASK
    masked = _masked(text)
    return masked if masked.isprintable() else masked.encode("unicode_escape").decode("ascii")


def _masked(text: str) -> str:
    """Mask the addresses in ``text``, a text or JSON, where each text is one for itself."""
    try:
        data = json.loads(text)
        if isinstance(data, (dict, list)):
            masked = _masked_data(data)
            return text if masked == data else json.dumps(masked, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass  # hidden as one address, which hides more
    return _masked_address(text)


def _masked_data(data: Any) -> Any:
    match data:
        case dict():
            return {_masked_address(key): _masked_data(value) for key, value in data.items()}
        case list():
            return [_masked_data(item) for item in data]
        case str():
            return _masked_address(data)
        case _:
            return data


def _masked_address(text: str) -> str:
    return _QUERY.sub(rf"\1?{_MASK}", _USER_INFO.sub(f"{_MASK}@", text))


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _PATH_NAME.search(name) is None
