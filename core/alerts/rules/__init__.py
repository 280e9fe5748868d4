"""Alert rules: their sentences, their storage, and the built-in ones."""
