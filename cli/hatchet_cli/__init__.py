"""The `hatchet` command, and the local dev stack that it and the tests run on."""

__all__: list[str] = []
