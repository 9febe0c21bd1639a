"""`hatchet webhooks`: from a provider's request to the router, and what keeps it from starting."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

from stripe import WebhookSignature
from tests.acceptance.conftest import Project, RunningCommand, workflow
from tests.conftest import Eventually

from hatchet_cli.exiting import ExitCode

SECRET = "whsec_s3cr3t"
VARIABLE = "HATCHET_SECRET_STRIPE_SIGNING_SECRET"


def post(url: str, body: str, secret: str) -> int:
    """Post as Stripe does, and return the status."""
    header = WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    request = urllib.request.Request(  # noqa: S310 - an address of ours
        url, data=body.encode(), headers={"Stripe-Signature": header}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def path_of(command: RunningCommand) -> str:
    """Return where it serves Stripe, as it has said."""
    found = re.search(r'"paths": \["([^"]+/webhooks/stripe)"', command.log.read_text())
    assert found is not None
    return found[1]


def test_what_a_provider_posts_starts_jobs(
    project: Project, lifetime: ExitStack, eventually: Eventually
) -> None:
    """Once, however often it is posted; forgeries start nothing; SIGTERM ends it with 0."""
    project.environment = {**project.environment, VARIABLE: SECRET}
    project.write(".hatchet/invoice.yaml", workflow("Invoice", "stripe:invoice.*", "nobody", a="b"))
    router = lifetime.enter_context(project.running("router"))
    eventually(lambda: router.has_said("router.ready"), timeout_s=60)
    webhooks = lifetime.enter_context(project.running("webhooks", "stripe", "--port", "0"))
    eventually(lambda: webhooks.has_said("webhooks.ready"), timeout_s=60)
    body = json.dumps({"id": "evt_1", "type": "invoice.paid", "note": "p4yl0ad"})

    statuses = [post(path_of(webhooks), body, secret) for secret in (SECRET, SECRET, "forged")]

    assert statuses == [200, 200, 403]
    eventually(lambda: router.log.read_text().count('"event.routed"') == 2)
    routed = [json.loads(line) for line in router.log.read_text().splitlines() if "routed" in line]
    assert [record["event_id"] for record in routed] == ["evt_1", "evt_1"]
    assert webhooks.end() == ExitCode.SUCCESS
    said = webhooks.log.read_text()
    assert "webhook.refused" in said
    assert SECRET not in said
    assert "p4yl0ad" not in said


def test_a_missing_secret_is_named(offline_project: Project) -> None:
    """Before any server is asked for anything."""
    result = offline_project.hatchet("webhooks", "stripe")

    assert result.code == ExitCode.USAGE
    assert "webhooks of stripe need the secret STRIPE_SIGNING_SECRET" in result.stderr
    assert f"in the environment variable {VARIABLE} or the file /run/secrets/" in result.stderr


def test_without_a_broker_it_does_not_start(offline_project: Project) -> None:
    """And it has read the secret from a file, and the provider from another."""
    offline_project.write("SHOP_SIGNING_SECRET", "s\n")
    offline_project.write("webhooks.yaml", "shop: {signature-header: X-Signature}\n")

    result = offline_project.hatchet(
        "webhooks",
        HATCHET_SECRETS_DIR=str(offline_project.folder),
        HATCHET_WEBHOOKS_FILE="webhooks.yaml",
    )

    assert result.code == ExitCode.UNREACHABLE
    assert "nothing is listening there" in result.stderr
