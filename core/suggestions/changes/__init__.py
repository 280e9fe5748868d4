"""One module per kind of change, and shared code. `registry.get_spec` returns a kind's module."""
