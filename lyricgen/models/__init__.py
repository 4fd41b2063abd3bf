"""The two networks, their vocabulary, checkpoints, and text as they read it."""
