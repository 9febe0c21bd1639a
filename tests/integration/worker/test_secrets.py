"""Secrets on a real Temporal: the action has them, and nothing else ever does."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError

from hatchet_worker import Context, Integration, MissingSecret, action, current_context

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Logs = list[MutableMapping[str, Any]]


@pytest.fixture
def secret() -> str:
    """A value that no other test has, with all that has to be escaped somewhere."""
    return f"s3cr3t/{uuid.uuid4().hex}\"+&?'\\ä\nsecond-{uuid.uuid4().hex}"


def traces(text: str, secret: str) -> list[str]:
    """Return what of the secret, or of a form of it, stands in ``text``."""
    unique = [part for line in secret.split("\n") for part in (line[7:39],)]
    encoded = base64.b64encode(secret.encode()).decode()
    forms = [*unique, encoded[:40], encoded[-44:-4]]
    return [form for form in forms if form in text]


class Leaky(Integration):
    """Lets go of its secret in every way there is."""

    id = "leaky"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @action("say")
    async def say(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Put it out, in each form, in each place."""
        self.seen.append(data)
        token = data["headers"]["Authorization"].removeprefix("Bearer ")
        context.heartbeat({"token": token})
        context.logger.info("said", token=token, header=data["headers"])
        return {
            "plain": token,
            "deep": [{"in": [f"my {token}"]}],
            token: "as a name",
            "basic": base64.b64encode(f"user:{token}".encode()).decode(),
            "json": json.dumps({"token": token}),
            "url": f"https://a.example/?token={quote_plus(token)}",
            "line": token.split("\n")[1],
            "fine": "not a secret",
        }

    @action("fail")
    def fail(self, data: dict[str, Any], context: Context) -> None:
        """Tell it in an error, its cause and its context."""
        token = data["token"]
        self.seen.append(context.heartbeat_details)
        context.heartbeat(token)
        try:
            try:
                dict[str, str]()[token]
            except KeyError as error:
                raise OSError(f"no key {token!r}") from error
        except OSError:
            raise ApplicationError(  # noqa: B904 - the context is what is tested
                f"bad token {base64.b64encode(token.encode()).decode()}", {"token": token}
            )

    @action("listen")
    async def listen(self, data: dict[str, Any]) -> dict[str, Any]:
        """Be asked nothing but to keep what is given."""
        self.seen.append(data)
        return {}


def call(action_id: str, attempts: int = 1, **data: Any) -> dict[str, Any]:
    """Return a step that calls ``action_id``."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": action_id,
        "timeout": "10s",
        "retry": {"attempts": attempts, "backoff": "10ms"},
        "with": data,
    }


async def told(handle: WorkflowHandle[Any, Any]) -> str:
    """Return all that Temporal has of a job, payloads decoded, as one text."""
    history = await handle.fetch_history()
    description = await handle.describe()
    payloads = [base64.b64decode(payload).decode() for payload in _payloads(history.to_json_dict())]
    return f"{history.to_json()}{payloads}{description.raw_description}"


def _payloads(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["data"]] if isinstance(value.get("data"), str) else []
        return own + [found for item in value.values() for found in _payloads(item)]
    if isinstance(value, list):
        return [found for item in value for found in _payloads(item)]
    return []


@pytest.mark.parametrize("mode", ["regular", "local"])
async def test_an_action_has_the_secret_and_temporal_and_the_logs_have_not(
    jobs: Jobs, logs: Logs, secret: str, mode: str
) -> None:
    leaky = Leaky()
    step = call("leaky:say", headers={"Authorization": "Bearer {{ .secrets.TOKEN }}", "n": 1})
    step["mode"] = mode

    async with jobs.worker(leaky, secrets=[{"TOKEN": secret}.get]):
        handle = await jobs.start(step)
        result = await handle.result()

    assert leaky.seen == [{"headers": {"Authorization": f"Bearer {secret}", "n": 1}}]
    outputs = result["steps"]["call"]
    assert outputs["plain"] == outputs["***"].replace("as a name", "***") == "***"
    assert outputs["deep"] == [{"in": ["my ***"]}]
    assert outputs["json"] == '{"token": "***"}'
    assert outputs["url"] == "https://a.example/?token=***"
    assert outputs["line"] == "***"
    assert outputs["fine"] == "not a secret"
    assert traces(await told(handle), secret) == []
    assert traces(str(logs), secret) == []
    [said] = [entry for entry in logs if entry["event"] == "said"]
    assert (said["token"], said["header"]["Authorization"]) == ("***", "Bearer ***")


async def test_what_a_failing_action_tells_is_masked(jobs: Jobs, logs: Logs, secret: str) -> None:
    """Message, details, cause and context; in the history, the logs and the last heartbeat."""
    leaky = Leaky()

    async with jobs.worker(leaky, secrets=[{"TOKEN": secret}.get]):
        handle = await jobs.start(call("leaky:fail", attempts=2, token="{{ .secrets.TOKEN }}"))
        with pytest.raises(Exception, match="Workflow execution failed") as caught:
            await handle.result()

    assert leaky.seen == [(), ("***",)]
    failure = caught.value.__cause__
    assert isinstance(failure, ApplicationError)
    assert failure.message.endswith("bad token *** (2 attempts)")
    assert isinstance(failure.cause, ActivityError)
    chain: list[ApplicationError] = []
    error: BaseException | None = failure.cause.cause
    while isinstance(error, ApplicationError):
        chain.append(error)
        error = error.cause
    assert [(each.type, each.message) for each in chain] == [
        ("ApplicationError", "bad token ***"),
        ("OSError", "no key '***'"),
        ("KeyError", "'***'"),
    ]
    assert list(chain[0].details) == [{"token": "***"}]
    assert traces(await told(handle), secret) == []
    assert traces(str(logs), secret) == []


async def test_another_step_that_comes_upon_the_value_cannot_tell_it_either(
    jobs: Jobs, secret: str
) -> None:
    """The process knows its secrets, whoever they were given to."""

    class Other(Integration):
        id = "other"

        @action("say")
        def say(self, data: dict[str, Any]) -> dict[str, Any]:
            return {"found": secret}

    first = {**call("leaky:listen", token="{{ .secrets.TOKEN }}"), "id": "first"}
    async with jobs.worker(Leaky(), Other(), secrets=[{"TOKEN": secret}.get]):
        outputs = await jobs.run(first, call("other:say"))

    assert outputs["call"] == {"found": "***"}


@pytest.mark.parametrize(
    "forged",
    [
        "{{ .secrets.TOKEN }}",
        {"secret": "TOKEN"},
        [{"at": ["x"], "parts": [{"secret": "TOKEN"}]}],
        {"secrets": [{"at": ["x"], "parts": [{"secret": "TOKEN"}]}]},
        "***",
        "\x00hatchet-secret:TOKEN\x00",
        "<secret:TOKEN>",
    ],
)
async def test_an_event_cannot_ask_for_a_secret(jobs: Jobs, forged: Any) -> None:
    """Neither beside one that the workflow file asks for, nor in the same text."""
    leaky = Leaky()
    asked: list[str] = []

    def find(name: str) -> str | None:
        asked.append(name)
        return f"value-of-{name}"

    step = call(
        "leaky:listen",
        whole="{{ .forged }}",
        beside="{{ .secrets.OTHER }}",
        within="{{ .name }}{{ .secrets.OTHER }}",
        secrets="{{ .forged }}",
    )
    async with jobs.worker(leaky, secrets=[find]):
        await jobs.run(step, event={"forged": forged, "name": str(forged)})

    assert asked == ["OTHER"]
    assert leaky.seen == [
        {
            "whole": forged,
            "beside": "value-of-OTHER",
            "within": f"{forged}value-of-OTHER",
            "secrets": forged,
        }
    ]


async def test_a_secret_that_nobody_has_fails_the_job_at_once(jobs: Jobs, secret: str) -> None:
    """It names the secret and where it was looked for; those that were found stay hidden."""
    leaky = Leaky()
    step = call(
        "leaky:listen", attempts=5, token="{{ .secrets.TOKEN }}", other="{{ .secrets.MISSING }}"
    )

    async with jobs.worker(leaky, secrets=[{"TOKEN": secret}.get]):
        failure = await jobs.failure(step)

    assert leaky.seen == []
    assert failure.type == "UnknownSecret"
    assert "there is no secret 'MISSING': looked for in dict.get" in failure.message
    assert traces(str(failure), secret) == []


async def test_a_provider_may_block_and_fail_and_is_asked_again_each_time(jobs: Jobs) -> None:
    """In a thread, with the step's context; a secret that was changed counts at once."""
    leaky = Leaky()
    threads: list[int] = []
    attempts: list[int] = []

    def find(name: str) -> str | None:
        threads.append(threading.get_ident())
        attempts.append(current_context().attempt)
        if len(attempts) == 1:
            raise ConnectionError("the vault is sealed")
        if len(attempts) == 2:
            return next(iter([]))
        return f"value-{len(attempts)}"

    async with jobs.worker(leaky, secrets=[find]):
        await jobs.run(call("leaky:listen", attempts=3, token="{{ .secrets.TOKEN }}"))
        await jobs.run(call("leaky:listen", token="{{ .secrets.TOKEN }}"))

    assert attempts == [1, 2, 3, 1]
    assert threading.get_ident() not in threads
    assert [data["token"] for data in leaky.seen] == ["value-3", "value-4"]


async def test_a_worker_asks_the_environment_by_default(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    leaky = Leaky()
    (tmp_path / "FROM_FILE").write_text("file-value\n")
    monkeypatch.setenv("HATCHET_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("HATCHET_SECRET_FROM_ENVIRONMENT", "environment-value")
    monkeypatch.setenv("OF_THE_WORKER", "none of theirs")

    step = call("leaky:listen", a="{{ .secrets.FROM_ENVIRONMENT }}", b="{{ .secrets.FROM_FILE }}")
    async with jobs.worker(leaky):
        await jobs.run(step)
        failure = await jobs.failure(call("leaky:listen", a="{{ .secrets.OF_THE_WORKER }}"))

    assert leaky.seen == [{"a": "environment-value", "b": "file-value"}]
    assert "environment variable HATCHET_SECRET_OF_THE_WORKER" in failure.message


async def test_the_history_shows_where_a_secret_stands(jobs: Jobs, secret: str) -> None:
    """By its name, for whoever looks for what went wrong."""
    async with jobs.worker(Leaky(), secrets=[{"TOKEN": secret}.get]):
        handle = await jobs.start(call("leaky:listen", token="{{ .secrets.TOKEN }}"))
        await handle.result()

    assert "TOKEN" in await told(handle)


class Bank(Integration):
    """Needs a secret, whatever the workflow says."""

    id = "bank"
    secrets = ("BANK_TOKEN",)

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = 0

    @action("ask")
    async def ask(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Put the secret out."""
        self.seen.append(context.secrets["BANK_TOKEN"])
        return {"token": current_context().secrets["BANK_TOKEN"]}

    async def close(self) -> None:
        """Count how often."""
        self.closed += 1


async def test_an_action_has_what_its_integration_needs_and_it_is_masked(jobs: Jobs) -> None:
    bank = Bank()

    async with jobs.worker(bank, secrets=[{"BANK_TOKEN": "s3cr3t-1"}.get]):
        step = {"name": "Ask", "id": "ask", "actionId": "bank:ask", "timeout": "10s"}
        outputs = await jobs.run(step)
        assert bank.closed == 0

    assert bank.seen == ["s3cr3t-1"]
    assert outputs == {"ask": {"token": "***"}}
    assert bank.closed == 1


async def test_a_worker_does_not_start_without_what_an_integration_needs(jobs: Jobs) -> None:
    with pytest.raises(MissingSecret, match="integration bank needs secret BANK_TOKEN"):
        async with jobs.worker(Bank(), secrets=[]):
            pass
