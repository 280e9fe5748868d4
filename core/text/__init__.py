"""Format values for users: numbers, times, text from outside."""
