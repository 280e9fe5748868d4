"""Plans who is notified of which incident, when and by which channel."""
