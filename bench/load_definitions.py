"""What it costs to read workflow files, as multiples of ``yaml.load`` with libyaml.

    python bench/load_definitions.py [FILES]

Each line is the best of several rounds over files that differ from each other, so that no template
is read twice in a round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import yaml

from hatchet_schemas import SourceFile, load_definitions, templates
from hatchet_schemas.yaml_source import parse

ROUNDS = 7

FILE = """\
name: "Workflow {i}"
on:
  - order{i}.paid
  - user{i}.*
jobs:
  greet:
    timeout: 60s
    steps:
      - name: Greet user
        id: greet
        actionId: postmark:email-from-template
        timeout: 15s
        with:
          firstName: "{{{{ .user{i}.firstName }}}}"
          email: "{{{{ .user.email }}}}"
          text: "Order {{{{ .order.id{i} }}}} for {{{{ .user.name | upper }}}}"
      - name: Tell
        id: tell
        actionId: slack:send-message
        timeout: 15s
        retry: {{attempts: 3}}
        with:
          channel: "#orders"
          text: "{{{{ .steps.greet.outputs.id }}}}"
"""


def loaded(content: bytes) -> object:
    """Return what PyYAML reads."""
    return yaml.load(content, Loader=yaml.CSafeLoader)


def events_of(content: bytes) -> object:
    """Let libyaml make its events, and keep none of them."""
    next_event = yaml.CSafeLoader(content).get_event
    while next_event() is not None:
        pass
    return None


def for_each(read: Callable[[bytes], object], contents: list[bytes]) -> None:
    """Read one file after the other, as `load_definitions` does: trees are not kept."""
    for content in contents:
        read(content)


def seconds(work: Callable[[], object]) -> float:
    """Return the shortest time that ``work`` took; templates are forgotten in between."""
    times: list[float] = []
    for _ in range(ROUNDS):
        for value in vars(templates).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print what each way to read the files takes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    sources = [SourceFile(f"{i}.yaml", FILE.format(i=i).encode()) for i in range(count)]
    contents = [source.content for source in sources]
    measured = {
        "yaml.load, CSafeLoader": seconds(lambda: for_each(loaded, contents)),
        "libyaml's events alone": seconds(lambda: for_each(events_of, contents)),
        "our YAML part": seconds(lambda: for_each(parse, contents)),
        "load_definitions": seconds(lambda: load_definitions(sources)),
    }
    base = measured["yaml.load, CSafeLoader"]
    for name, taken in measured.items():
        print(f"{name:24} {taken / count * 1e6:7.1f} us a file  {taken / base:5.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
