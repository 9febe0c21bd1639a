"""What goes wrong: each module holds the faults of one part of the system."""

# Importing a module declares its scenarios.
from chaos.scenarios import brokers, clusters, deletions, duplicates, routers, temporals
from chaos.scenarios.registry import SCENARIOS, Scenario

__all__ = [
    "SCENARIOS",
    "Scenario",
    "brokers",
    "clusters",
    "deletions",
    "duplicates",
    "routers",
    "temporals",
]
