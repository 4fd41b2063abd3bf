"""Fits the networks, word vectors, song index and attribution classifier."""
