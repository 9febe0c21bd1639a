"""Events that arrive by HTTP: verified, and published as events on the bus.

A provider (Stripe, Slack, …) posts to ``/webhooks/<provider>``. `providers` says how its requests
are signed and read, `receiving` decides what becomes of one, `server` speaks HTTP.
"""

__all__: list[str] = []
