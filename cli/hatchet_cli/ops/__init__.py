"""The port on which a router or a worker tells operators how it is."""
