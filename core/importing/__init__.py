"""Import files and pasted text: read row by row into tracking and observations."""
