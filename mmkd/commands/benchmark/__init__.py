"""Speed and memory, each result beside a reference on the same work."""
