"""The model advisor: its prompt, its client, its replies, its costs."""
