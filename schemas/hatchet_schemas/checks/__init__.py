"""What can be told about a workflow file without any server: the rules, and the checks of sense."""
