"""Problems in workflow files, in the forms that people and other tools read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from hatchet_cli.reports.printable import printable
from hatchet_schemas import Problem

__all__ = ["problem_text", "problems_as_github", "problems_as_json"]

_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_GREEN: Final = "\x1b[32m"
_RESET: Final = "\x1b[0m"
_COLORS: Final = {"error": "\x1b[31m", "warning": "\x1b[33m"}

# GitHub Actions' workflow commands (actions/toolkit, packages/core/src/command.ts).
_UNSAFE_IN_MESSAGE: Final = re.compile(r"[%\r\n]")
_UNSAFE_IN_PROPERTY: Final = re.compile(r"[%\r\n:,]")


def problem_text(problem: Problem, *, color: bool = False) -> str:
    """Return the problem with the line it stands on; what is no error is marked as such.

    The form is that of actionlint: ``path:line:column: message [rule]``, the line, and a caret.
    """
    where = f"{printable(problem.path)}:{problem.line}:{problem.column}:"
    mark = "" if problem.severity == "error" else f"{problem.severity}: "
    message, rule = f"{mark}{problem.message}", f"[{problem.rule}]"
    _, *excerpt = problem.with_caret().split("\n")
    if color:
        where = f"{_BOLD}{where}{_RESET}"
        message = f"{_COLORS[problem.severity]}{message}{_RESET}"
        rule = f"{_DIM}{rule}{_RESET}"
        excerpt[1:] = [f"{_GREEN}{caret}{_RESET}" for caret in excerpt[1:]]
    return "\n".join([f"{where} {message} {rule}", *excerpt])


def problems_as_json(problems: Iterable[Problem]) -> str:
    """Return the problems as a JSON list of objects with stable field names."""
    fields = ("path", "line", "column", "severity", "rule", "message", "excerpt")
    return json.dumps(
        [{field: getattr(problem, field) for field in fields} for problem in problems],
        indent=2,
        ensure_ascii=False,
    )


def problems_as_github(problems: Iterable[Problem]) -> Iterable[str]:
    """Yield a workflow command for each problem, which GitHub Actions shows beside the line."""
    for problem in problems:
        properties = ",".join(
            f"{name}={_escaped(value, _UNSAFE_IN_PROPERTY)}"
            for name, value in (
                ("file", problem.path),
                ("line", str(problem.line)),
                ("col", str(problem.column)),
                ("title", f"hatchet {problem.rule}"),
            )
        )
        message = _escaped(f"{problem.message} [{problem.rule}]", _UNSAFE_IN_MESSAGE)
        yield f"::{problem.severity} {properties}::{message}"


def _escaped(text: str, unsafe: re.Pattern[str]) -> str:
    return unsafe.sub(lambda match: f"%{ord(match.group()):02X}", text)
