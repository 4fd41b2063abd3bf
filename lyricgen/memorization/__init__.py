"""What a text shares with the training songs."""
