"""Messages on their way out: addresses and texts, no people."""
