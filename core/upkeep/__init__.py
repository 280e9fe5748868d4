"""What keeps the house in order: job runs, retention, health."""
