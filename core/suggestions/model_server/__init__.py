"""The model server: what is asked of it, its errors, and the JSON in what it answers."""
