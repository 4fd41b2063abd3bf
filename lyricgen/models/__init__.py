"""The two networks, their vocabulary and their checkpoints."""
