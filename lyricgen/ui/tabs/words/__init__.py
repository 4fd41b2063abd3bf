"""Words: map, analogies and bias of word vectors."""
