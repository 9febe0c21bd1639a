"""One module a command; each loads what is heavy only when it runs."""
