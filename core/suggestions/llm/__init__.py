"""The model advisor: prompt, client, reply checks, costs."""
