"""What a process of ours is told: by which names, from where, and how that is shown."""
