"""Inside: letters, neurons, and the RNN beside the LSTM."""
