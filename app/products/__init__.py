"""The blocks of the Overview and Products screens."""
