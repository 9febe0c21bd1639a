"""The errors of this package."""

from __future__ import annotations

__all__ = ["SchemaError", "TemplateError", "shown"]


class SchemaError(ValueError):
    """A value does not fit the contracts."""


class TemplateError(SchemaError):
    """A template cannot be compiled or rendered.

    ``source`` is the template's text, ``reason`` what is wrong with it, and ``loc`` where in the
    surrounding value it stands, such as ``("with", "user", "email")``; it is empty for a template
    on its own. ``offset`` is the character of ``source`` at which the fault was noticed, ``rule``
    the name of the rule that is broken. Values of the scope never appear in the message, only
    names.
    """

    def __init__(
        self,
        source: str,
        reason: str,
        loc: tuple[str | int, ...] = (),
        offset: int = 0,
        rule: str = "template",
    ) -> None:
        self.source = source
        self.reason = reason
        self.loc = loc
        self.offset = offset
        self.rule = rule
        where = f"{self.path}: " if loc else ""
        super().__init__(f"{where}{shown(source)}: {reason}")

    @property
    def path(self) -> str:
        """Where the template stands, as people write it: ``with.users[0].email``."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.loc)
        return "".join(parts).removeprefix(".")

    def at(self, loc: tuple[str | int, ...]) -> TemplateError:
        """Return the same error, told where it stands."""
        return TemplateError(self.source, self.reason, loc, self.offset, self.rule)


def shown(value: object, limit: int = 120) -> str:
    """Return ``value`` as a message shows it: a text quoted and, where it is long, cut short."""
    if isinstance(value, str):
        return repr(value if len(value) <= limit else f"{value[: limit - 1]}…")
    return str(value)[:limit]
