"""Slack's Web API, as its documentation tells it, called by Slack's own SDK."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.worker.integrations.conftest import (
    HANG,
    HANG_UP,
    KEY,
    TOKEN,
    Provider,
    Reply,
    out_of_time,
    performed,
    told,
)

from hatchet_schemas import EventHeader
from hatchet_worker import Context, InvalidInput, Retry
from hatchet_worker.integrations.slack import Slack
from hatchet_worker.provider_errors import (
    ProviderError,
    ProviderFailed,
    Refused,
    Throttled,
    Unreachable,
)

EVENT_TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = Context(
    event=EventHeader(id="event-1", key="test", time=EVENT_TIME),
    attempt=2,
    idempotency_key=KEY,
    secrets={"SLACK_BOT_TOKEN": TOKEN},
)
CHANNEL = {
    "id": "C012AB3CD",
    "name": "order-42",
    "name_normalized": "order-42",
    "created": int(EVENT_TIME.timestamp()) + 3,
    "creator": "U0BOT",
    "is_private": False,
    "is_archived": False,
}
BOT = Reply({"ok": True, "user_id": "U0BOT", "bot_id": "B0BOT"})
TAKEN = Reply({"ok": False, "error": "name_taken"})
MESSAGE = {"channelId": "#orders", "message": "Hello."}
UPLOAD = {"channelId": "C012AB3CD", "filename": "a.txt", "content": "größer"}


def failed(code: str, **more: Any) -> Reply:
    """Return Slack's usual answer that is an error."""
    return Reply({"ok": False, "error": code, **more})


def channels(*found: dict[str, Any], next_cursor: str = "") -> Reply:
    """Return a page of channels."""
    cursor = {"next_cursor": next_cursor}
    return Reply({"ok": True, "channels": list(found), "response_metadata": cursor})


def slack(provider: Provider) -> Slack:
    """Return the integration that calls the provider of the test."""
    return Slack(url=f"{provider.url}/api/")


@pytest.mark.parametrize("private", [False, True])
async def test_a_channel_is_created(private: bool, provider: Provider) -> None:  # noqa: FBT001
    provider.answers("POST /api/conversations.create", Reply({"ok": True, "channel": CHANNEL}))

    outputs = await performed(
        slack(provider), "create-channel", {"channelName": "order-42", "private": private}
    )

    assert outputs == {"channelId": "C012AB3CD", "name": "order-42", "created": True}
    (request,) = provider.received
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.query == {"name": "order-42", "is_private": "1" if private else "0"}


async def test_a_name_that_is_taken_is_refused(provider: Provider) -> None:
    provider.answers("POST /api/conversations.create", TAKEN)

    with pytest.raises(Refused, match="slack: name_taken: a channel has this name already"):
        await performed(slack(provider), "create-channel", {"channelName": "order-42"})


async def test_a_second_attempt_finds_what_the_first_created(provider: Provider) -> None:
    """The first has timed out: its channel was created, and its answer lost."""
    other = CHANNEL | {"id": "C0OTHER", "name": "other", "name_normalized": "other"}
    provider.answers("POST /api/conversations.create", TAKEN)
    provider.answers(
        "GET /api/conversations.list", channels(other, next_cursor="page-2"), channels(CHANNEL)
    )
    provider.answers("POST /api/auth.test", BOT)

    outputs = await performed(
        slack(provider), "create-channel", {"channelName": "order-42"}, context=SECOND
    )

    assert outputs == {"channelId": "C012AB3CD", "name": "order-42", "created": True}
    assert provider.received[1].query == {
        "types": "public_channel,private_channel",
        "limit": "999",
    }
    assert provider.received[2].query["cursor"] == "page-2"


@pytest.mark.parametrize(
    "found",
    [
        [],
        [CHANNEL | {"is_archived": True}],
        [CHANNEL | {"is_private": True}],
        [CHANNEL | {"created": int(EVENT_TIME.timestamp()) - 3600}],
        [CHANNEL | {"creator": "U0ADA"}],
    ],
    ids=["unseen", "archived", "private", "older", "of-somebody"],
)
async def test_a_second_attempt_takes_no_other_channel_for_its_own(
    found: list[dict[str, Any]], provider: Provider
) -> None:
    provider.answers("POST /api/conversations.create", TAKEN)
    provider.answers("GET /api/conversations.list", channels(*found))
    if found and found[0]["creator"] == "U0ADA":
        provider.answers("POST /api/auth.test", BOT)

    with pytest.raises(Refused, match="name_taken"):
        await performed(
            slack(provider), "create-channel", {"channelName": "order-42"}, context=SECOND
        )


async def test_a_channel_is_reused_where_that_is_wanted(provider: Provider) -> None:
    provider.answers("POST /api/conversations.create", TAKEN)
    provider.answers("GET /api/conversations.list", channels(CHANNEL))

    outputs = await performed(
        slack(provider), "create-channel", {"channelName": "order-42", "existing": "reuse"}
    )

    assert outputs == {"channelId": "C012AB3CD", "name": "order-42", "created": False}


async def test_users_are_added(provider: Provider) -> None:
    provider.answers("GET /api/users.lookupByEmail", Reply({"ok": True, "user": {"id": "U3"}}))
    provider.answers("POST /api/conversations.invite", Reply({"ok": True, "channel": CHANNEL}))

    outputs = await performed(
        slack(provider),
        "add-users-to-channel",
        {"channelId": "C012AB3CD", "userIds": ["U012AB1", "W012AB2", "ada@example.com", "U012AB1"]},
    )

    assert outputs == {
        "channelId": "C012AB3CD",
        "added": ["U012AB1", "W012AB2", "U3"],
        "alreadyThere": [],
    }
    lookup, invite = provider.received
    assert lookup.query == {"email": "ada@example.com"}
    assert invite.query == {"channel": "C012AB3CD", "users": "U012AB1,W012AB2,U3"}


@pytest.mark.parametrize("code", ["already_in_channel", "cant_invite_self"])
async def test_a_user_who_is_there_already_does_no_harm(code: str, provider: Provider) -> None:
    provider.answers("POST /api/conversations.invite", failed(code))

    outputs = await performed(
        slack(provider), "add-users-to-channel", {"channelId": "C012AB3CD", "userIds": ["U012AB1"]}
    )

    assert (outputs["added"], outputs["alreadyThere"]) == ([], ["U012AB1"])


async def test_all_others_are_added_beside_one_who_is_there(provider: Provider) -> None:
    one = {"user": "U012AB1", "ok": False, "error": "already_in_channel"}
    provider.answers(
        "POST /api/conversations.invite",
        failed("already_in_channel", errors=[one]),
        Reply({"ok": True, "channel": CHANNEL}),
    )

    outputs = await performed(
        slack(provider),
        "add-users-to-channel",
        {"channelId": "C012AB3CD", "userIds": ["U012AB1", "U012AB2"]},
    )

    assert (outputs["added"], outputs["alreadyThere"]) == (["U012AB2"], ["U012AB1"])
    assert provider.received[1].query["users"] == "U012AB2"


async def test_users_are_added_one_by_one_where_slack_does_not_say_who_is_there(
    provider: Provider,
) -> None:
    provider.answers(
        "POST /api/conversations.invite",
        failed("already_in_channel"),
        Reply({"ok": True, "channel": CHANNEL}),
        failed("already_in_channel"),
    )

    outputs = await performed(
        slack(provider),
        "add-users-to-channel",
        {"channelId": "C012AB3CD", "userIds": ["U012AB1", "U012AB2"]},
    )

    assert (outputs["added"], outputs["alreadyThere"]) == (["U012AB1"], ["U012AB2"])


async def test_an_address_that_nobody_has_is_told_by_its_place(provider: Provider) -> None:
    provider.answers("GET /api/users.lookupByEmail", failed("users_not_found"))

    with pytest.raises(Refused, match=r"users_not_found: userIds\[1\]: nobody") as caught:
        await performed(
            slack(provider),
            "add-users-to-channel",
            {"channelId": "C012AB3CD", "userIds": ["U012AB1", "ada@example.com"]},
        )
    assert "ada@" not in str(caught.value)


async def test_a_message_with_all_its_fields(provider: Provider) -> None:
    provider.answers(
        "POST /api/chat.postMessage",
        Reply({"ok": True, "channel": "C012AB3CD", "ts": "1503435956.000247"}),
    )
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Order 42"}}]

    outputs = await performed(
        slack(provider),
        "send-message",
        {
            "channelId": "#orders",
            "message": "Order <https://example.com/42|42>",
            "blocks": blocks,
            "threadTs": "1503435950.000100",
            "replyBroadcast": True,
            "unfurlLinks": False,
            "unfurlMedia": False,
        },
    )

    assert outputs == {"channelId": "C012AB3CD", "ts": "1503435956.000247"}
    (request,) = provider.received
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.json == {
        "channel": "#orders",
        "text": "Order <https://example.com/42|42>",
        "blocks": blocks,
        "thread_ts": "1503435950.000100",
        "reply_broadcast": True,
        "unfurl_links": False,
        "unfurl_media": False,
    }


@pytest.mark.parametrize(
    ("reply", "raised", "text"),
    [
        (
            failed("channel_not_found"),
            Refused,
            "slack: channel_not_found: there is none, or it is private and the app is not in it",
        ),
        (
            failed("missing_scope", needed="chat:write", provided="channels:read"),
            Refused,
            "slack: missing_scope: the token has the scopes channels:read, and needs chat:write",
        ),
        (
            failed("invalid_blocks", response_metadata={"messages": ["[ERROR] no such block"]}),
            Refused,
            "slack: invalid_blocks: [ERROR] no such block",
        ),
        (failed("invalid_auth"), Refused, "invalid_auth: is the secret SLACK_BOT_TOKEN the right"),
        (failed("msg_too_long"), Refused, "slack: msg_too_long: no reason given"),
        (failed("internal_error"), ProviderFailed, "slack: internal_error"),
        (failed("fatal_error"), ProviderFailed, "slack: fatal_error"),
        (failed("service_unavailable"), ProviderFailed, "slack: service_unavailable"),
        (failed("rate_limited"), Throttled, "slack: 200 rate_limited"),
        (
            Reply({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"}),
            Throttled,
            "slack: 429 ratelimited",
        ),
        (Reply("Too Many Requests", 429, {"Retry-After": "30"}), Throttled, "slack: 429"),
        (Reply("<html>", 502, {"Content-Type": "text/html"}), ProviderFailed, "slack: 502"),
        (Reply("<html>", 200, {"Content-Type": "application/json"}), ProviderFailed, "slack: "),
        (HANG_UP, ProviderFailed, "slack: ServerDisconnectedError"),
    ],
)
async def test_what_goes_wrong_is_sorted(
    reply: Reply, raised: type[ProviderError], text: str, provider: Provider
) -> None:
    provider.answers("POST /api/chat.postMessage", reply)

    with pytest.raises(raised) as caught:
        await performed(slack(provider), "send-message", MESSAGE)
    assert text in str(caught.value)
    assert TOKEN not in told(caught.value)
    if "Retry-After" in reply.headers:
        assert isinstance(caught.value, Retry)
        assert caught.value.after is not None
        assert caught.value.after.total_seconds() == 30


async def test_without_an_answer_nobody_knows_whether_it_was_posted(provider: Provider) -> None:
    provider.answers("POST /api/chat.postMessage", HANG)
    integration = slack(provider)

    with pytest.raises(ProviderFailed, match="no answer within") as caught:
        await performed(integration, "send-message", MESSAGE, context=out_of_time(integration))
    assert not isinstance(caught.value, Retry)


async def test_without_a_connection_nothing_was_posted() -> None:
    with pytest.raises(Unreachable):
        await performed(Slack(url="http://127.0.0.1:1"), "send-message", MESSAGE)


@pytest.mark.parametrize(
    ("content", "octets"),
    [
        ({"content": "größer"}, "größer".encode()),
        ({"contentBase64": b64encode(b"\x89PNG").decode()}, b"\x89PNG"),
    ],
)
async def test_a_file_goes_the_external_way(
    content: dict[str, str], octets: bytes, provider: Provider
) -> None:
    url = f"{provider.url}/upload/v1/ABC"
    provider.answers(
        "POST /api/files.getUploadURLExternal",
        Reply({"ok": True, "upload_url": url, "file_id": "F123"}),
    )
    provider.answers("POST /upload/v1/ABC", Reply("OK - 8"))
    shared = {"id": "F123", "permalink": "https://acme.slack.com/files/F123"}
    provider.answers(
        "POST /api/files.completeUploadExternal", Reply({"ok": True, "files": [shared]})
    )

    outputs = await performed(
        slack(provider),
        "upload-file",
        {
            "channelId": "C012AB3CD",
            "filename": "a.txt",
            "title": "A",
            "comment": "See this",
            "threadTs": "1503435950.000100",
            **content,
        },
    )

    assert outputs == {"fileId": "F123", "permalink": "https://acme.slack.com/files/F123"}
    ticket, upload, complete = provider.received
    assert ticket.query == {"filename": "a.txt", "length": str(len(octets))}
    assert upload.body == octets
    assert "Authorization" not in upload.headers
    assert json.loads(complete.query["files"]) == [{"id": "F123", "title": "A"}]
    assert complete.query["channel_id"] == "C012AB3CD"
    assert complete.query["initial_comment"] == "See this"
    assert complete.query["thread_ts"] == "1503435950.000100"


async def test_a_file_that_was_not_shared_yet_is_sent_again(provider: Provider) -> None:
    url = f"{provider.url}/upload/v1/ABC"
    provider.answers(
        "POST /api/files.getUploadURLExternal",
        failed("internal_error"),
        Reply({"ok": True, "upload_url": url, "file_id": "F123"}),
    )
    provider.answers("POST /upload/v1/ABC", Reply("", 500))

    for reason in ("internal_error", "500"):
        with pytest.raises(Retry, match=f"{reason}.*nothing was shared yet"):
            await performed(slack(provider), "upload-file", UPLOAD)


async def test_nobody_knows_whether_a_file_was_shared(provider: Provider) -> None:
    url = f"{provider.url}/upload/v1/ABC"
    provider.answers(
        "POST /api/files.getUploadURLExternal",
        Reply({"ok": True, "upload_url": url, "file_id": "F123"}),
    )
    provider.answers("POST /upload/v1/ABC", Reply("OK - 8"))
    provider.answers("POST /api/files.completeUploadExternal", failed("internal_error"))

    with pytest.raises(ProviderFailed) as caught:
        await performed(slack(provider), "upload-file", UPLOAD)
    assert not isinstance(caught.value, Retry)


async def test_two_workspaces_are_two_integrations(provider: Provider) -> None:
    provider.answers("POST /api/chat.postMessage", failed("invalid_auth"))
    second = Slack(id="slack-acme", secret="SLACK_ACME", url=f"{provider.url}/api")

    with pytest.raises(Refused, match="slack-acme: invalid_auth: is the secret SLACK_ACME"):
        await performed(
            second, "send-message", MESSAGE, context=replace(SECOND, secrets={"SLACK_ACME": TOKEN})
        )
    assert second.secrets == ("SLACK_ACME",)


@pytest.mark.parametrize(
    ("verb", "data", "text"),
    [
        ("create-channel", {"channelName": "Order 42"}, "channelName: .*lower-case letters"),
        ("create-channel", {"channelName": "a.b"}, "channelName: .*lower-case letters"),
        ("create-channel", {"channelName": "x" * 81}, "channelName: .*at most 80"),
        ("create-channel", {"channelName": "x", "is_private": True}, "is_private: Extra inputs"),
        ("create-channel", {"channelName": "x", "private": "yes"}, "private: .*boolean"),
        ("add-users-to-channel", {"channelId": "#general", "userIds": ["U012AB1"]}, "channel's ID"),
        (
            "add-users-to-channel",
            {"channelId": "C012AB3CD", "userIds": []},
            "userIds: .*at least 1",
        ),
        (
            "add-users-to-channel",
            {"channelId": "C012AB3CD", "userIds": ["ada"]},
            r"userIds\[0\]: .*ID",
        ),
        ("send-message", {"channelId": "#orders"}, "message: Field required"),
        ("send-message", MESSAGE | {"thread": "1"}, "thread: Extra inputs"),
        ("upload-file", UPLOAD | {"contentBase64": "eA=="}, "expected content or contentBase64"),
        ("upload-file", {**UPLOAD, "content": ""}, "not empty"),
        ("upload-file", {**UPLOAD, "content": None, "contentBase64": "?"}, "expected base64"),
    ],
)
async def test_a_wrong_field_is_refused_before_anything_is_sent(
    verb: str, data: dict[str, Any], text: str, provider: Provider
) -> None:
    with pytest.raises(InvalidInput, match=text):
        await performed(slack(provider), verb, data)
    assert provider.received == []


@pytest.mark.parametrize("name", ["order-42", "größe_1", "チャンネル", "x" * 80])
async def test_names_in_all_scripts_are_names_of_channels(name: str, provider: Provider) -> None:
    channel = CHANNEL | {"name": name}
    provider.answers("POST /api/conversations.create", Reply({"ok": True, "channel": channel}))

    outputs = await performed(slack(provider), "create-channel", {"channelName": name})

    assert outputs["name"] == provider.received[0].query["name"] == name
