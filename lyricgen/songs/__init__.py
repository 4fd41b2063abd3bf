"""Reading, cleaning, encoding and batching of songs."""
