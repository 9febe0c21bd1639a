"""Makes docs/settings.md of the settings: ``python -m hatchet_cli.settings.documentation``."""

from __future__ import annotations

import sys
from typing import Final

from hatchet_cli.settings.groups import REGISTRY
from hatchet_cli.settings.known import Family, Setting

__all__ = ["settings_document"]

_START: Final = """\
# Settings

<!-- Made by `python -m hatchet_cli.settings.documentation`; edit the models, not this page. -->

The processes of `hatchet` take each setting from the first of these that has it:

1. an option on the command line, where there is one
2. the environment; a variable that is empty counts as none
3. `.env` in the working directory, or the file that `HATCHET_ENV_FILE` names: lines of
   `NAME=value`, all of which are added to the environment, so also those that SDKs read, and
   Temporal's
4. `hatchet.toml` there, or the file that `HATCHET_CONFIG` names ([below](#hatchettoml))
5. the default

Where several variables can hold a setting, the first that is set counts, but one in the
environment goes before any in a file. `hatchet config show --show-origin` tells what comes of it,
and where each value stands, without secrets. A value that cannot be used ends the command with
exit code 2. A variable `HATCHET_…` that sets nothing is told as a warning, with the nearest one
that there is; an unknown key in `hatchet.toml` is an error, and so is a file that sets
`HATCHET_ENV_FILE` or `HATCHET_CONFIG`, which is too late.

A `Dispatcher` in a program of yours, and a `Worker` that you run yourself, read the environment
alone.
"""
_TOML: Final = """\
## hatchet.toml

The keys are the names of the variables without `HATCHET_`, in lower case, and tables stand for
what several names begin with. What is JSON in a variable is an array or a table here. Paths start
at the working directory.

```toml
workflows = "workflows"
prefetch = 32
more_exchanges = ["billing.events"]

[vars] # HATCHET_VARS
channel = "#orders"

[log] # HATCHET_LOG_LEVEL
level = "info"

[temporal] # TEMPORAL_ADDRESS and the like
address = "temporal.internal:7233"
namespace = "orders"
```

`HATCHET_SECRET_<NAME>` cannot be set here, since such files are read by many.

## Temporal Cloud

Its own variables are all there is to set, in the environment or in `.env`, or a profile of
Temporal's configuration file, named by `TEMPORAL_PROFILE`:

```text
TEMPORAL_ADDRESS=eu-central-1.aws.api.temporal.io:7233
TEMPORAL_NAMESPACE=orders.a1b2c
TEMPORAL_API_KEY=…
```

With certificates instead of a key, the address and namespace are likewise, with
`TEMPORAL_TLS_CLIENT_CERT_PATH` and `TEMPORAL_TLS_CLIENT_KEY_PATH`.
"""


def settings_document() -> str:
    """Return the document of all settings, in Markdown."""
    parts = [_START]
    for group in REGISTRY.groups:
        rows = "".join(map(_row, group.members))
        parts.append(f"## {group.title}\n\n| variable | default | meaning |\n|---|---|---|\n{rows}")
    parts.append(_TOML)
    return "\n".join(parts)


def _row(member: Setting | Family) -> str:
    meaning = member.meaning.replace("|", "\\|")
    return f"| {_names(member)} | {member.default} | {meaning} |\n"


def _names(member: Setting | Family) -> str:
    if isinstance(member, Family):
        return f"`{member.prefix}{member.ending}`"
    first, *others = (f"`{name}`" for name in member.names)
    return f"{first}, else {', '.join(others)}" if others else first


if __name__ == "__main__":
    sys.stdout.write(settings_document())
