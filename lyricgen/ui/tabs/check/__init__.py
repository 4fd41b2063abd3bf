"""Check: whom a text sounds like, and what of it is copied."""
