"""Which products wait for advice, and what came of asking."""
