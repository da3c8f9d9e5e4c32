"""What only one command needs, a room each; nothing in the library imports it."""
