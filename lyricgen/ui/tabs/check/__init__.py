"""Check: whom a text sounds like, and which passages are copied."""
