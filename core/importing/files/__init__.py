"""Files from outside opened safely: encodings, tables, JSON, a process of its own."""
