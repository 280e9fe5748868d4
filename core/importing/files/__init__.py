"""Open files from outside safely: encodings, tables, JSON, a separate process."""
