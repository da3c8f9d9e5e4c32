"""Speed and memory, each figure beside a reference on the same work."""
