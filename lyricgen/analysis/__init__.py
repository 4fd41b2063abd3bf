"""What a model makes of a text."""
