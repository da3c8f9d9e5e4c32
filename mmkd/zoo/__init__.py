"""Convert, index, download, publish and export checkpoints."""
