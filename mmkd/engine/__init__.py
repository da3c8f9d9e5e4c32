"""What runs a config: command lines, checks before a run, hooks, loading of weights."""

from mmkd.engine.threads import wait_passively

wait_passively()
