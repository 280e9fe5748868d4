"""What rules make of readings: the fold, and the preview on history."""
