"""Slack: channels, messages and files, through Slack's own SDK."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.errors import Retry
from hatchet_worker.http_client import Answer
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._options import option
from hatchet_worker.integrations.slack.calls import SlackCalls
from hatchet_worker.integrations.slack.models import (
    AddedUsers,
    Channel,
    File,
    Message,
    NewChannel,
    NewUsers,
    Posted,
    Upload,
)
from hatchet_worker.provider_errors import ProviderFailed, Refused

__all__ = ["Slack"]

_URL: Final = "https://slack.com/api/"
_TIMEOUT_SECONDS: Final = 30.0
_PAGE: Final = 999  # Slack wants less than 1000
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_THERE: Final = frozenset({"already_in_channel", "cant_invite_self"})


class Slack(Integration):
    """Creates channels, posts messages and shares files in a Slack workspace, as an app's bot.

    ``secret`` names the secret that holds the bot's token, ``xoxb-…``. Where ``url`` is None it
    comes from HATCHET_SLACK_URL.
    """

    id = "slack"
    secrets = ("SLACK_BOT_TOKEN",)

    def __init__(
        self,
        *,
        id: str = "slack",  # noqa: A002 - as in the base class
        secret: str = "SLACK_BOT_TOKEN",  # noqa: S107 - a name
        url: str | None = None,
    ) -> None:
        self.id = id
        self.secrets = (secret,)
        self._calls = SlackCalls(
            id, option(url, "HATCHET_SLACK_URL", _URL), secret, timeout_seconds=_TIMEOUT_SECONDS
        )

    @action("create-channel", semantics="idempotent")
    async def create_channel(self, new: NewChannel, context: Context) -> Channel:
        """Create a channel.

        The token needs the scope `channels:manage`, or `groups:write` for private channels. A
        later attempt finds what an attempt with an unknown outcome created, by the channel's
        creator and its time; for that, and for `existing: reuse`, it needs `channels:read` and
        `groups:read` as well.
        """
        try:
            data = await self._calls.call(
                lambda slack: slack.conversations_create(
                    name=new.channel_name, is_private=new.private, team_id=new.team_id
                ),
                context,
            )
        except Refused as error:
            is_first = context.attempt == 1 and new.existing == "fail"
            if error.code != "name_taken" or is_first:
                raise
            return await self._existing(new, error, context)
        return _channel(data["channel"], created=True)

    @action("add-users-to-channel", semantics="idempotent")
    async def add_users_to_channel(self, new: NewUsers, context: Context) -> AddedUsers:
        """Add users to a channel that the app is in; those who are in it already are left there.

        The token needs the scope `channels:write.invites`, or `groups:write.invites` for private
        channels.
        """
        users = [await self._user_id(at, user, context) for at, user in enumerate(new.user_ids)]
        groups = deque([list(dict.fromkeys(users))])
        added: list[str] = []
        there: list[str] = []
        while groups:
            group = groups.popleft()
            answer = await self._invited(new.channel_id, group, context)
            if (present := _present(answer, group)) is None:
                self._calls.checked(answer)
                added += group
            elif present:
                there += present
                groups.extendleft(filter(None, [[each for each in group if each not in present]]))
            else:  # Slack does not say which of them
                groups.extendleft([each] for each in reversed(group))
        return AddedUsers(channel_id=new.channel_id, added=added, already_there=there)

    @action("send-message", semantics="at-most-once")
    async def send_message(self, message: Message, context: Context) -> Posted:
        """Post a message in a channel, in a thread, or to a user.

        The token needs the scope `chat:write`. Slack documents no idempotency key, so the step
        fails where nobody knows whether the message was posted; while Slack is not reached or
        limits the rate, nothing was posted, and the step tries again.
        """
        data = await self._calls.call(
            lambda slack: slack.chat_postMessage(
                channel=message.channel_id,
                text=message.message,
                blocks=message.blocks,
                thread_ts=message.thread_ts,
                reply_broadcast=message.reply_broadcast,
                unfurl_links=message.unfurl_links,
                unfurl_media=message.unfurl_media,
            ),
            context,
        )
        return Posted(channel_id=data.get("channel"), ts=data.get("ts"))

    @action("upload-file", semantics="at-most-once")
    async def upload_file(self, upload: Upload, context: Context) -> File:
        """Share a file in a channel.

        The token needs the scope `files:write`. Until the file is shared nobody sees it, and the
        step tries again; where nobody knows whether it was shared, the step fails.
        """
        octets = upload.octets
        with _nothing_shared_yet():
            ticket = await self._calls.call(
                lambda slack: slack.files_getUploadURLExternal(
                    filename=upload.filename, length=len(octets)
                ),
                context,
            )
            await self._calls.upload(ticket["upload_url"], octets, context)
        data = await self._calls.call(
            lambda slack: slack.files_completeUploadExternal(
                files=[{"id": ticket["file_id"], "title": upload.title or upload.filename}],
                channel_id=upload.channel_id,
                initial_comment=upload.comment,
                thread_ts=upload.thread_ts,
            ),
            context,
        )
        shared = (data.get("files") or [{}])[0]
        return File(file_id=ticket["file_id"], permalink=shared.get("permalink"))

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _existing(self, new: NewChannel, taken: Refused, context: Context) -> Channel:
        """Return the channel that has the name already, if it is the one that is wanted.

        Raises:
            Refused: it is not, or cannot be seen.

        """
        found = await self._channel_called(new, context)
        if found is None or found.get("is_archived") or found.get("is_private") != new.private:
            raise taken
        if context.attempt > 1 and _may_be_of(found, context):
            identity = await self._calls.call(lambda slack: slack.auth_test(), context)
            if found.get("creator") == identity["user_id"]:
                return _channel(found, created=True)
        if new.existing == "fail":
            raise taken
        return _channel(found, created=False)

    async def _channel_called(self, new: NewChannel, context: Context) -> dict[str, Any] | None:
        cursor: str | None = None
        while True:
            page = await self._page_of_channels(new.team_id, cursor, context)
            for channel in page["channels"]:
                if new.channel_name in (channel["name"], channel.get("name_normalized")):
                    return dict(channel)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    async def _page_of_channels(
        self, team_id: str | None, cursor: str | None, context: Context
    ) -> dict[str, Any]:
        return await self._calls.call(
            lambda slack: slack.conversations_list(
                types=["public_channel", "private_channel"],
                limit=_PAGE,
                cursor=cursor,
                team_id=team_id,
            ),
            context,
        )

    async def _invited(self, channel: str, users: Sequence[str], context: Context) -> Answer:
        return await self._calls.answer(
            lambda slack: slack.conversations_invite(channel=channel, users=users), context
        )

    async def _user_id(self, at: int, user: str, context: Context) -> str:
        if "@" not in user:
            return user
        try:
            data = await self._calls.call(
                lambda slack: slack.users_lookupByEmail(email=user), context
            )
        except Refused as error:
            if error.code == "users_not_found":
                message = f"userIds[{at}]: nobody in the workspace has this e-mail address"
                raise Refused(self.id, message, code=error.code) from None
            raise
        return str(data["user"]["id"])


@contextmanager
def _nothing_shared_yet() -> Generator[None]:
    try:
        yield
    except ProviderFailed as error:
        raise Retry(f"{error}; nothing was shared yet") from error


def _channel(channel: dict[str, Any], *, created: bool) -> Channel:
    return Channel(channel_id=channel["id"], name=channel["name"], created=created)


def _may_be_of(channel: dict[str, Any], context: Context) -> bool:
    """Return whether the channel is no older than the event that the step runs for."""
    return bool(channel["created"] >= (context.event.time - _CLOCKS_DIFFER).timestamp())


def _present(answer: Answer, users: Sequence[str]) -> list[str] | None:
    """Return who of ``users`` could not be added for being there; None if that is not the reason.

    Nobody, where the answer does not say who.
    """
    if answer.field("error") not in _THERE:
        return None
    if len(users) == 1:
        return list(users)
    errors = answer.body.get("errors") or ()
    present = {each.get("user") for each in errors if each.get("error") in _THERE}
    return [user for user in users if user in present]
