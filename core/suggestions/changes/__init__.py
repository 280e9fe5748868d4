"""One module per kind of change, and what they share. `registry.get_spec` finds a kind's own."""
