"""What Slack's actions take and put out.

In workflow files the fields are in camel case, as those of the Go program that came before: files
that were written for it run unchanged.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from hatchet_worker.integrations._models import Params, Result

__all__ = ["AddedUsers", "Channel", "File", "Message", "NewChannel", "NewUsers", "Posted", "Upload"]

_ID: Final = re.compile(r"[A-Z][A-Z0-9]{2,}")
_NO_CHANNEL_NAME: Final = re.compile(r"[\sA-Z!-,./:-@\[-^`{-~]")


def _channel_name(name: str) -> str:
    if _NO_CHANNEL_NAME.search(name):
        raise ValueError("expected lower-case letters, digits, '-' and '_' alone; try | slugify")
    return name


def _channel_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("expected a channel's ID, such as C012AB3CD, not its name")
    return text


def _user(text: str) -> str:
    if not _ID.fullmatch(text) and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError("expected a user's ID, such as U012AB3CD, or an e-mail address")
    return text


ChannelId = Annotated[str, AfterValidator(_channel_id)]
User = Annotated[str, AfterValidator(_user)]


class _Params(Params):
    model_config = ConfigDict(alias_generator=to_camel)


class _Result(Result):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class NewChannel(_Params):
    """A channel to be created."""

    channel_name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_channel_name)]
    """Its name: lower-case letters, digits, `-` and `_`, 80 at most."""

    private: bool = False
    """Whether only those who were invited see it."""

    existing: Literal["fail", "reuse"] = "fail"
    """What to do where a channel has that name already: `fail`, or put out that one. One that is
    archived, or private where this is public or the other way, is never reused."""

    team_id: str | None = None
    """The workspace, where the token is that of an organization."""


class Channel(_Result):
    """A channel that is there now."""

    channel_id: str
    """Its ID, which Slack's other actions take."""

    name: str
    """Its name, as Slack has it."""

    created: bool
    """Whether this step created it; false where it was there already."""


class NewUsers(_Params):
    """Users to be added to a channel."""

    channel_id: ChannelId
    """The channel's ID, such as `C012AB3CD`. The app has to be in it."""

    user_ids: Annotated[list[User], Field(min_length=1, max_length=1000)]
    """The users' IDs, such as `U012AB3CD`, or their e-mail addresses, for which the token needs
    the scope `users:read.email`."""


class AddedUsers(_Result):
    """Users that are in the channel now."""

    channel_id: str
    """The channel's ID."""

    added: list[str]
    """The IDs of those who were added."""

    already_there: list[str]
    """The IDs of those who were in the channel before."""


class Message(_Params):
    """A message to be posted."""

    channel_id: Annotated[str, Field(min_length=1)]
    """Where to: a channel's ID, or its name with a `#`, or a user's ID for a direct message."""

    message: Annotated[str, Field(min_length=1, max_length=40_000)]
    """The text, in Slack's mrkdwn; with `blocks` it is what notifications show."""

    blocks: Annotated[list[dict[str, Any]], Field(max_length=50)] | None = None
    """The message as blocks of Slack's Block Kit."""

    thread_ts: str | None = None
    """The `ts` of the message that this one answers, in its thread."""

    reply_broadcast: bool | None = None
    """Whether an answer in a thread is shown in the channel, too."""

    unfurl_links: bool | None = None
    """Whether links to texts are previewed."""

    unfurl_media: bool | None = None
    """Whether links to media are previewed."""


class Posted(_Result):
    """A message that was posted."""

    channel_id: str | None
    """The ID of the channel that it is in."""

    ts: str | None
    """Its timestamp, which is its ID in the channel: the `threadTs` of answers to it."""


class Upload(_Params):
    """A file to be shared in a channel."""

    channel_id: ChannelId
    """The channel's ID, such as `C012AB3CD`. The app has to be in it."""

    filename: Annotated[str, Field(min_length=1)]
    """The file's name, with the extension that tells its type."""

    content: str | None = None
    """What is in it, as text; this or `contentBase64`."""

    content_base64: str | None = None
    """What is in it, as base64."""

    title: str | None = None
    """Its title; if not set, its name."""

    comment: str | None = None
    """The text of the message that shares it."""

    thread_ts: str | None = None
    """The `ts` of the message in whose thread it is shared."""

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if (self.content is None) == (self.content_base64 is None):
            raise ValueError("expected content or contentBase64")
        try:
            if not self.octets:
                raise ValueError("expected a content that is not empty: Slack takes no other")
        except NotBase64 as error:
            raise ValueError(f"contentBase64: expected base64: {error}") from None
        return self

    @property
    def octets(self) -> bytes:
        """What is in the file."""
        if self.content_base64 is not None:
            return b64decode(self.content_base64, validate=True)
        return (self.content or "").encode()


class File(_Result):
    """A file that was shared."""

    file_id: str
    """Its ID."""

    permalink: str | None
    """Its address in Slack, where Slack tells it."""
