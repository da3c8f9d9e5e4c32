"""Running things: command lines, checks before a run, hooks."""
