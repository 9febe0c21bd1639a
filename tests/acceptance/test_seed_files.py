"""Workflow files of the Go program that this one re-creates pass and run as they are."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from tests.acceptance.conftest import Project
from tests.conftest import Eventually

SIGN_UP = """\
name: "Post User Sign Up"
on:
  - user:create
jobs:
  create-resources:
    steps:
      - name: Create sandbox environment
        id: createSandbox
        actionId: sandbox:create
        timeout: 60s
  greet-user:
    steps:
      - name: Greet user
        id: greetUser
        actionId: postmark:email-from-template
        timeout: 15s
        with:
          firstName: "{{ .user.firstName }}"
          email: "{{ .user.email }}"
  add-to-newsletter:
    steps:
      - name: Add to newsletter
        id: addUserToNewsletter
        actionId: newsletter:add-user
        timeout: 15s
        with:
          email: "{{ .user.email }}"
"""

ECHO_CHAIN = """\
name: 'Post User Sign Up'
on:
  events:
    - user:create
jobs:
  print-user:
    steps:
    - name: Echo 1
      id: echo1
      actionId: echo:echo
      timeout: 60s
      with:
        message: "User {{ .username }}"
    - name: Echo 2
      id: echo2
      actionId: echo:echo
      timeout: 60s
      with:
        message: "First: {{ .steps.echo1.outputs.message }}"
    - name: Echo 3
      id: echo3
      actionId: echo:echo
      timeout: 60s
      with:
        message: "Second: {{ .steps.echo2.outputs.message }}"
"""

SLACK = """\
name: 'Post User Sign Up'
on:
  events:
    - user:create
jobs:
  create-slack-notifs:
    steps:
    - name: Create onboarding channel
      actionId: slack:create-channel
      id: createChannel
      timeout: 60s
      with:
        channelName: "{{ .username }}-onboarding"
    - name: Add user to channel
      actionId: slack:add-users-to-channel
      id: addUserToChannel
      timeout: 60s
      with:
        channelId: "{{ .steps.createChannel.outputs.channelId }}"
        userIds:
        - "$SLACK_USER_ID"
    - name: Send message to channel
      actionId: slack:send-message
      id: sendMessageToChannel
      timeout: 60s
      with:
        channelId: "{{ .steps.createChannel.outputs.channelId }}"
        message: "Welcome, {{ .username }}!"
"""

SCHEDULES = """\
name: "Every way to say when"
on:
  cron:
    schedule: "*/15 * * * *"
jobs:
  my-awesome-job:
    queue: internal
    timeout: 60s
    steps:
      - name: Step 1
        id: step-1
        actionId: "slack:create-channel"
        timeout: 15s
        with:
          key: val
"""

INTEGRATIONS = """
import json
from pathlib import Path
from hatchet_worker import Worker

CALLS = Path(__file__).with_name("calls.jsonl")

class Recording:
    def __init__(self, id, *actions):
        self.id, self.actions = id, actions

    def perform_action(self, action, data):
        with CALLS.open("a") as calls:
            calls.write(json.dumps([f"{self.id}:{action}", data]) + "\\n")
        return {"channelId": "C42"} if action == "create-channel" else dict(data)

worker = Worker([
    Recording("sandbox", "create"),
    Recording("postmark", "email-from-template"),
    Recording("newsletter", "add-user"),
    Recording("echo", "echo"),
    Recording("slack", "create-channel", "add-users-to-channel", "send-message"),
])
"""

ADA = {"firstName": "Ada", "email": "ada@example.com"}


@pytest.mark.parametrize(
    ("file", "data", "calls"),
    [
        pytest.param(
            SIGN_UP,
            {"user": ADA},
            [
                ["newsletter:add-user", {"email": "ada@example.com"}],
                ["postmark:email-from-template", ADA],
                ["sandbox:create", {}],
            ],
            id="sign-up",
        ),
        pytest.param(
            ECHO_CHAIN,
            {"username": "ada"},
            [
                ["echo:echo", {"message": "First: User ada"}],
                ["echo:echo", {"message": "Second: First: User ada"}],
                ["echo:echo", {"message": "User ada"}],
            ],
            id="echo-chain",
        ),
        pytest.param(
            SLACK,
            {"username": "ada"},
            [
                ["slack:add-users-to-channel", {"channelId": "C42", "userIds": ["$SLACK_USER_ID"]}],
                ["slack:create-channel", {"channelName": "ada-onboarding"}],
                ["slack:send-message", {"channelId": "C42", "message": "Welcome, ada!"}],
            ],
            id="slack",
        ),
    ],
)
def test_a_file_of_the_seed_runs_unchanged(
    project: Project,
    lifetime: ExitStack,
    eventually: Eventually,
    file: str,
    data: dict[str, object],
    calls: list[object],
) -> None:
    """Steps, outputs and inputs are what its author meant."""
    project.write("integrations.py", INTEGRATIONS)
    project.write(".hatchet/workflow.yaml", file)
    checked = project.hatchet("check", "--strict", "--app", "integrations:worker")
    assert (checked.code, checked.stdout) == (0, "")
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"))
    eventually(lambda: worker.has_said("worker.started"))

    published = project.hatchet("publish", "user:create", "--data", json.dumps(data), "--wait")

    assert published.code == 0, published.stderr
    made = (project.folder / "calls.jsonl").read_text().splitlines()
    assert sorted((json.loads(call) for call in made), key=json.dumps) == calls


@pytest.mark.parametrize("schedule", ["*/15 * * * *", "random_15_min", "random_hourly"])
def test_schedules_of_the_seed_pass(offline_project: Project, schedule: str) -> None:
    """They are checked, and not yet run."""
    offline_project.write(".hatchet/workflow.yaml", SCHEDULES.replace("*/15 * * * *", schedule))
    assert offline_project.hatchet("check", "--strict").code == 0
