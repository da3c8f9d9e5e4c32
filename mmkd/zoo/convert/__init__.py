"""Conversion of officially released checkpoints."""
