"""The sign-up example's integrations: small, real, and without any outside service.

All that they do is in the folder ``SIGN_UP_DATA`` names (``data`` beside this file by default):
a folder for each sandbox, an ``.eml`` file for each mail, and a newsletter's list of subscribers.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hatchet_worker import Integration, Worker, action

DATA = Path(os.environ.get("SIGN_UP_DATA") or Path(__file__).parent / "data")

GREETING = """\
Hello {first_name},

your account is ready, and so is a sandbox to try things in.
"""


class Sandbox(Integration):
    """Environments for new users to play in."""

    id = "sandbox"

    @action("create")
    def create(self, data: dict[str, Any]) -> dict[str, Any]:
        """Make a sandbox for ``owner``; making it again changes nothing."""
        folder = DATA / "sandboxes" / file_name(data["owner"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sandbox.json").write_text(json.dumps({"owner": data["owner"]}))
        return {"path": str(folder)}


class Greeting(BaseModel):
    """What the greeting needs to know."""

    firstName: str  # noqa: N815 - as the workflow file spells it
    email: str


class Postmark(Integration):
    """Mail from templates, left in a folder instead of sent."""

    id = "postmark"

    @action("email-from-template")
    def email_from_template(self, greeting: Greeting) -> dict[str, Any]:
        """Write the mail where a mail program can open it."""
        mail = EmailMessage()
        mail["From"] = "hello@example.com"
        mail["To"] = greeting.email
        mail["Subject"] = f"Welcome, {greeting.firstName}"
        mail["Message-ID"] = make_msgid(domain="example.com")
        mail.set_content(GREETING.format(first_name=greeting.firstName))
        outbox = DATA / "outbox"
        outbox.mkdir(parents=True, exist_ok=True)
        file = outbox / f"{file_name(greeting.email)}.eml"
        file.write_bytes(bytes(mail))
        return {"messageId": mail["Message-ID"], "file": str(file)}


class Newsletter(Integration):
    """A list of subscribers, in SQLite."""

    id = "newsletter"

    @action("add-user")
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


def file_name(text: str) -> str:
    """Return ``text`` as a safe file name."""
    return re.sub(r"[^A-Za-z0-9@_-]", "_", text)[:100]


worker = Worker(integrations=[Sandbox(), Postmark(), Newsletter()])
