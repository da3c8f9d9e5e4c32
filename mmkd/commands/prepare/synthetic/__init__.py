"""Articulated figures performing actions, rendered to real videos with part maps."""
