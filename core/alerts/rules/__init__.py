"""Alert rules: what they say, how they are stored, and the built-in ones."""
