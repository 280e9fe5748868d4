"""Settings: the environment and the secret key."""
