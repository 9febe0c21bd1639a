"""The chaos suite: faults in real servers and processes, and what became of every event.

``./task chaos`` runs it. A scenario (`chaos.scenarios`) plays on a stage (`chaos.stages`): a
private RabbitMQ, a private Temporal, and routers and workers as processes. A ledger outside of all
that (`chaos.ledgers`) keeps what was confirmed to publishers and what steps did; what Temporal and
RabbitMQ have in the end is read by `chaos.observations`. From these facts alone the verdict is made
(`chaos.verdicts`), which knows nothing of the program that is judged.
"""
