"""What an actor's items say: one parser per actor, all pure."""
