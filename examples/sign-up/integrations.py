"""The sign-up example: two integrations of its own, and the prebuilt one for Postmark.

All that they do is in the folder ``SIGN_UP_DATA`` names (``data`` beside this file by default):
a folder for each sandbox, a newsletter's list of subscribers, and the mails, which a server on
this machine catches in Postmark's place.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from mail_catcher import MailCatcher

from hatchet_worker import Integration, Worker, action
from hatchet_worker.integrations.postmark import Postmark

DATA = Path(os.environ.get("SIGN_UP_DATA") or Path(__file__).parent / "data")
SECRETS = {"POSTMARK_SERVER_TOKEN": "a-token-for-the-catcher"}


class Sandbox(Integration):
    """Environments for new users to play in."""

    id = "sandbox"

    @action("create", semantics="idempotent")
    def create(self, data: dict[str, Any]) -> dict[str, Any]:
        """Make a sandbox for ``owner``; making it again changes nothing."""
        folder = DATA / "sandboxes" / re.sub(r"[^A-Za-z0-9@_-]", "_", data["owner"])[:100]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sandbox.json").write_text(json.dumps({"owner": data["owner"]}))
        return {"path": str(folder)}


class Newsletter(Integration):
    """A list of subscribers, in SQLite."""

    id = "newsletter"

    @action("add-user", semantics="idempotent")
    def add_user(self, data: dict[str, Any]) -> dict[str, Any]:
        """Subscribe ``email``; a second time changes nothing."""
        DATA.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(DATA / "newsletter.db")) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS subscriber (email TEXT PRIMARY KEY)")
            database.execute(
                "INSERT INTO subscriber VALUES (?) ON CONFLICT DO NOTHING", [data["email"]]
            )
            (subscribers,) = database.execute("SELECT count(*) FROM subscriber").fetchone()
        return {"subscribers": subscribers}


# With a token in HATCHET_SECRET_POSTMARK_SERVER_TOKEN, leave out ``url`` and ``secrets``.
catcher = MailCatcher(DATA / "outbox", SECRETS["POSTMARK_SERVER_TOKEN"])
postmark = Postmark(url=catcher.url, sender="hello@example.com", template="welcome")
worker = Worker(integrations=[Sandbox(), postmark, Newsletter()], secrets=[SECRETS.get])
