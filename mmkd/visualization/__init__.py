"""Pictures of what happens: part maps over clips, and more to come."""
