"""The blocks of the Overview, Products and Product screens."""
