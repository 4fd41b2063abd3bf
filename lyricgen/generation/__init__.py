"""Decoding strategies, and the continuous batch in which lyrics are written."""
