"""Prebuilt integrations in a worker, with providers on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.worker.integrations.conftest import TOKEN, Reply, serving

from hatchet_worker.integrations.postmark import Postmark
from hatchet_worker.integrations.slack import Slack

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

GREET = {
    "name": "Greet user",
    "id": "greetUser",
    "actionId": "postmark:email-from-template",
    "timeout": "15s",
    "retry": {"attempts": 2, "backoff": "10ms"},
    "with": {"firstName": "{{ .user.firstName }}", "email": "{{ .user.email }}"},
}
SIGNED_UP = {"user": {"firstName": "Ada", "email": "ada@example.com"}}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATCHET_SECRET_POSTMARK_SERVER_TOKEN", TOKEN)
    monkeypatch.setenv("HATCHET_SECRET_SLACK_BOT_TOKEN", TOKEN)


async def test_an_email_that_was_not_taken_is_sent_again(jobs: Jobs) -> None:
    """Though it is at-most-once: the provider says that it did nothing."""
    async with serving() as provider:
        provider.answers("POST /email/withTemplate", Reply({}, 429), Reply({"MessageID": "m-1"}))
        postmark = Postmark(sender="hello@example.com", template="welcome", url=provider.url)

        async with jobs.worker(postmark):
            outputs = await jobs.run(GREET, event=SIGNED_UP)

    assert outputs["greetUser"]["message_id"] == "m-1"
    first, second = (request.json for request in provider.received)
    assert first == second
    assert first["TemplateModel"] == SIGNED_UP["user"]


async def test_what_a_provider_says_of_a_credential_is_masked(jobs: Jobs) -> None:
    async with serving() as provider:
        told = {"ErrorCode": 10, "Message": f"The token {TOKEN} is not known."}
        provider.answers("POST /email/withTemplate", Reply(told, 401))
        postmark = Postmark(sender="hello@example.com", template="welcome", url=provider.url)

        async with jobs.worker(postmark):
            failure = await jobs.failure(GREET, event=SIGNED_UP)

    assert "postmark: 401 10: The token *** is not known." in failure.message
    assert TOKEN not in repr(failure.__cause__)


async def test_a_channel_whose_creation_had_no_answer_is_used_by_later_steps(jobs: Jobs) -> None:
    """The steps are those of the Go program's Slack example."""
    channel = {"id": "C042", "name": "ada-onboarding", "creator": "U0BOT", "is_private": False}
    steps: list[dict[str, Any]] = [
        {
            "name": "Create onboarding channel",
            "actionId": "slack:create-channel",
            "id": "createChannel",
            "timeout": "60s",
            "retry": {"attempts": 2, "backoff": "10ms"},
            "with": {"channelName": "{{ .username }}-onboarding"},
        },
        {
            "name": "Add user to channel",
            "actionId": "slack:add-users-to-channel",
            "id": "addUserToChannel",
            "timeout": "60s",
            "with": {
                "channelId": "{{ .steps.createChannel.outputs.channelId }}",
                "userIds": ["U012AB3CD"],
            },
        },
        {
            "name": "Send message to channel",
            "actionId": "slack:send-message",
            "id": "sendMessageToChannel",
            "timeout": "60s",
            "with": {
                "channelId": "{{ .steps.createChannel.outputs.channelId }}",
                "message": "Welcome, {{ .username }}!",
            },
        },
    ]
    async with serving() as provider:
        provider.answers(
            "POST /conversations.create",
            Reply("", 502),
            Reply({"ok": False, "error": "name_taken"}),
        )
        provider.answers(
            "GET /conversations.list",
            Reply({"ok": True, "channels": [channel | {"created": 4_000_000_000}]}),
        )
        provider.answers("POST /auth.test", Reply({"ok": True, "user_id": "U0BOT"}))
        provider.answers("POST /conversations.invite", Reply({"ok": True, "channel": channel}))
        provider.answers(
            "POST /chat.postMessage", Reply({"ok": True, "channel": "C042", "ts": "1"})
        )

        async with jobs.worker(Slack(url=provider.url)):
            outputs = await jobs.run(*steps, event={"username": "ada"})

    assert outputs["createChannel"]["channelId"] == "C042"
    assert outputs["addUserToChannel"]["added"] == ["U012AB3CD"]
    assert provider.received[-1].json == {"channel": "C042", "text": "Welcome, ada!"}
