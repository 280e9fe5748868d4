"""One module per kind of channel: its fields, its address, how it sends. No users."""
