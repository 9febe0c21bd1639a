"""The filters of templates that encode and decode: JSON, HTML, URLs, base64, hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

from jinja2.exceptions import FilterArgumentError
from jinja2.utils import url_quote, urlize
from markupsafe import escape

from hatchet_schemas.template_reading import text_of
from hatchet_schemas.template_values import (
    ELEMENT,
    MeteredContext,
    as_json_text,
    fail_if_missing,
    kind_of,
    within_bounds,
)

__all__ = ["CODECS"]

_Filter = Callable[..., Any]

_MAX_DEPTH: Final = 64  # of JSON, as of events
_MAX_DIGITS: Final = 20  # of an integer, with its sign
_NO_ATTRIBUTE_NAME: Final = re.compile(r"[\s/>=]", re.ASCII)  # where HTML ends a name
_SPACES: Final = re.compile(r"(\s+)")
_HOSTILE_RUN: Final = re.compile(r"[()<>.,]{32}")
_MAX_LINK: Final = 2048  # characters
_WORD: Final = 32  # what one word costs
_LINK: Final = 8  # what one character of a possible link costs
_MAX_SCHEMES: Final = 16


def _tojson(context: MeteredContext, value: Any, indent: int | None = None) -> str:
    return as_json_text(value, context.meter, indent)


def _pprint(context: MeteredContext, value: Any) -> str:
    return as_json_text(value, context.meter, indent=2)


def _fromjson(context: MeteredContext, value: Any) -> Any:
    """Return what a text of JSON says; what events may not hold, it may not either."""
    fail_if_missing(value)
    if not isinstance(value, str):
        raise TypeError(f"fromjson needs a text, not {kind_of(value)}")
    text = text_of(context, value, cost=6)
    try:
        made = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=lambda number: within_bounds(float(number)),
            parse_constant=_refused_constant,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"fromjson: no JSON: {error.msg} at character {error.pos}") from None
    if _depth(made) > _MAX_DEPTH:
        raise ValueError(f"fromjson: nested more than {_MAX_DEPTH} levels deep")
    return made


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("fromjson: an object has a key twice")
    return made


def _integer(digits: str) -> float:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("fromjson: a number does not fit 64 bits")
    return within_bounds(int(digits))


def _refused_constant(name: str) -> NoReturn:
    raise ValueError(f"fromjson: {name} is no JSON")


def _depth(value: Any) -> int:
    level = [value]
    depth = 0
    while level and depth <= _MAX_DEPTH:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        depth += any(isinstance(item, (dict, list)) for item in level)
        level = inner
    return depth


def _b64encode(context: MeteredContext, value: Any) -> str:
    return base64.b64encode(text_of(context, value).encode()).decode()


def _b64decode(context: MeteredContext, value: Any) -> str:
    fail_if_missing(value)
    if not isinstance(value, str):
        raise TypeError(f"b64decode needs a text, not {kind_of(value)}")
    # Mail and many tools break the lines of base64.
    encoded = "".join(text_of(context, value, cost=2).split())
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except UnicodeDecodeError:
        raise ValueError("b64decode: what is encoded is no text in UTF-8") from None
    except (binascii.Error, ValueError):
        raise ValueError(
            "b64decode: no base64: expected A-Z, a-z, 0-9, + and /, filled up with = to fours"
        ) from None


def _sha256(context: MeteredContext, value: Any) -> str:
    return hashlib.sha256(text_of(context, value).encode()).hexdigest()


def _escape(context: MeteredContext, value: Any) -> str:
    return str(escape(text_of(context, value, cost=2)))


def _xmlattr(
    context: MeteredContext,
    value: Any,
    autospace: bool = True,  # noqa: FBT001, FBT002 - Jinja2's argument
) -> str:
    fail_if_missing(value)
    if not isinstance(value, Mapping):
        raise TypeError(f"xmlattr needs a map, not {kind_of(value)}")
    made: list[str] = []
    for key, item in value.items():
        context.spend(_WORD)
        if item is None:
            continue
        name = text_of(context, key)
        if not name or _NO_ATTRIBUTE_NAME.search(name) is not None:
            raise ValueError("xmlattr: a key is no name for an attribute")
        made.append(f'{escape(name)}="{_escape(context, item)}"')
    return (" " if autospace and made else "") + " ".join(made)


def _striptags(context: MeteredContext, value: Any) -> str:
    """Return the text between tags, with one space for white space and characters for entities.

    It is MarkupSafe's, but for older releases of it, which take the square of the length.
    """
    text = text_of(context, value, cost=8)
    kept: list[str] = []
    position = 0
    while (start := text.find("<", position)) >= 0:
        is_comment = text.startswith("<!--", start)
        closing = "-->" if is_comment else ">"
        end = text.find(closing, start + len("<!--") if is_comment else start)
        if end < 0:
            break
        context.spend(ELEMENT)
        kept.append(text[position:start])
        position = end + len(closing)
    kept.append(text[position:])
    return html.unescape(" ".join("".join(kept).split()))


def _urlencode(context: MeteredContext, value: Any) -> str:
    fail_if_missing(value)
    if isinstance(value, Mapping):
        pairs: Iterable[Any] = value.items()
    elif isinstance(value, list):
        pairs = value
    else:
        return url_quote(text_of(context, value, cost=8))
    return "&".join(f"{_quoted(context, name)}={_quoted(context, item)}" for name, item in pairs)


def _quoted(context: MeteredContext, value: Any) -> str:
    context.spend(_WORD * 2)
    return url_quote(text_of(context, value, cost=8), for_qs=True)


def _urlize(
    context: MeteredContext,
    value: Any,
    trim_url_limit: int | None = None,
    nofollow: bool = False,  # noqa: FBT001, FBT002 - Jinja2's arguments
    target: str | None = None,
    rel: str | None = None,
    extra_schemes: list[str] | None = None,
) -> str:
    text = text_of(context, value, cost=2)
    schemes = [_scheme(scheme) for scheme in (extra_schemes or [])[: _MAX_SCHEMES + 1]]
    if len(schemes) > _MAX_SCHEMES:
        raise FilterArgumentError(f"urlize takes at most {_MAX_SCHEMES} schemes")
    relations = {*(rel or "").split(), *(["nofollow"] if nofollow else []), "noopener"}
    relation = " ".join(sorted(relations))
    tag = len(relation) + len(target or "")
    made: list[str] = []
    for word in _SPACES.split(text):
        context.spend(_WORD)
        if _may_be_link(word):
            context.spend(10 * _WORD + _LINK * len(word) + tag)
            made.append(urlize(word, trim_url_limit, relation, target, schemes))
        else:
            made.append(str(escape(word)))
        context.spend(len(made[-1]))
    return "".join(made)


def _scheme(scheme: Any) -> str:
    if not isinstance(scheme, str) or not re.fullmatch(r"[\w.+-]{2,32}:/{0,2}", scheme):
        raise FilterArgumentError("urlize: a scheme is written as in 'tel:' or 'ftp://'")
    return scheme


def _may_be_link(word: str) -> bool:
    # Jinja2 takes the square of a run of brackets or dots to find where a link ends.
    return (
        not {".", "@", ":"}.isdisjoint(word)
        and len(word) <= _MAX_LINK
        and _HOSTILE_RUN.search(word) is None
    )


CODECS: Final[dict[str, _Filter]] = {
    "b64decode": _b64decode,
    "b64encode": _b64encode,
    "e": _escape,
    "escape": _escape,
    "forceescape": _escape,
    "fromjson": _fromjson,
    "pprint": _pprint,
    "sha256": _sha256,
    "striptags": _striptags,
    "tojson": _tojson,
    "urlencode": _urlencode,
    "urlize": _urlize,
    "xmlattr": _xmlattr,
}
"""Filters by name; each takes the rendering before the value."""
