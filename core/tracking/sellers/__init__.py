"""The team's own sellers: which holders of the Buy Box are the team itself."""
