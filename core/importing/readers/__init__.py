"""What the rows of a file say: one reader per kind of file, all pure."""
