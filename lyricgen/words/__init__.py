"""Word vectors: spaces, queries, projections and bias tests."""
