"""What was observed of a product over time: observations, snapshots, days."""
