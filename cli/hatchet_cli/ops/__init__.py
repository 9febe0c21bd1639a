"""The port on which a process of ours tells operators how it is."""
