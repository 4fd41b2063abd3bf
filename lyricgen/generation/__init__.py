"""Generation of lyrics: settings, requests, guards, decoding, and the scheduler that samples."""
