"""`hatchet dev`: everything on one machine, and a live view of what it does."""

__all__: list[str] = []
