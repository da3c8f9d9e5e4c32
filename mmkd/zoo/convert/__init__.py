"""Convert officially released checkpoints."""
